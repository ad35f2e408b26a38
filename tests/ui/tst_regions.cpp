// Regions that the user drew on a picture: what the engine is asked, what the history gives back.
#include <QJsonArray>
#include <QTest>
#include <limits>

#include "app/chat/ask_plan.h"
#include "app/chat/regions.h"
#include "app/history/database.h"
#include "app/history/export.h"
#include "tests/support/ui/chat_fixture.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using lava::test::ChatFixture;
using lava::test::FakeAsking;

namespace {

const Attachment cat{QString(64, 'a'), "cat.png", "image/png", 400, 300};
const Attachment cup{QString(64, 'b'), "cup.png", "image/png", 100, 200};

using lava::test::wait;

QRectF box(double x1, double y1, double x2, double y2) {
  return {QPointF(x1, y1), QPointF(x2, y2)};
}

Message question(const QString& text, std::vector<Attachment> pictures = {}, std::vector<GroundedBox> boxes = {}) {
  Message message;
  message.text = text;
  message.attachments = std::move(pictures);
  message.boxes = std::move(boxes);
  return message;
}

Message answer(const QString& text) {
  Message message = question(text);
  message.role = Role::assistant;
  return message;
}

// A chat with one answered question about chelsea.png (300 x 300).
bool ask_about_picture(ChatFixture& f) {
  f.chat->composer()->add_files({QUrl::fromLocalFile(ChatFixture::picture())});
  if (!wait([&] { return f.chat->composer()->draft().pictures.size() == 1; })) return false;
  FakeAsking* asking = f.ask("What is it?");
  if (!asking) return false;
  asking->finish("A cat.");
  return wait([&] { return f.idle() && f.stored().size() == 2; });
}

QString sha_of_picture(const ChatFixture& f) {
  return f.chat->transcript()->pictures()[0].toMap()["sha"].toString();
}

FakeAsking* ask_region(ChatFixture& f, const QRectF& region, const QString& words) {
  const size_t before = f.engine.questions.size();
  if (!f.chat->ask_region(0, sha_of_picture(f), region, words)) return nullptr;
  return wait([&] { return f.engine.questions.size() > before; }) ? f.engine.last() : nullptr;
}

}  // namespace

class TestRegions : public QObject {
  Q_OBJECT

 private slots:
  void what_is_no_region_of_this_chat_is_refused() {
    ChatFixture f;
    QVERIFY(ask_about_picture(f));
    const QString sha = sha_of_picture(f);
    QVERIFY(!f.chat->ask_region(1, sha, box(1, 1, 50, 50), "What?"));
    QVERIFY(!f.chat->ask_region(-1, sha, box(1, 1, 50, 50), "What?"));
    QVERIFY(!f.chat->ask_region(0, QString(64, 'f'), box(1, 1, 50, 50), "What?"));
    QVERIFY(!f.chat->ask_region(0, sha, box(1, 1, 1.5, 50), "What?"));
    QVERIFY(!f.chat->ask_region(0, sha, box(1, 1, 50, 50), "  "));
    QCOMPARE(f.engine.questions.size(), size_t{1});
  }

  void the_region_survives_restart_regenerate_and_edit() {
    ChatFixture f;
    QVERIFY(ask_about_picture(f));
    f.chat->composer()->set_text("half a thought");
    FakeAsking* asking = ask_region(f, box(10, 20, 110, 95), "What is this?");
    QVERIFY(asking);
    QCOMPARE(f.chat->composer()->text(), QString("half a thought"));
    asking->finish("A nose.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 4; }));
    const ChatId chat = f.chat->chat_id();
    f.reopen();
    QVERIFY(wait([&] { return f.chat->chats()->count() == 1; }));
    f.chat->open_chat(chat);
    QVERIFY(wait([&] { return f.kinds().size() == 8; }));
    const QVariantMap pointed = f.entry("user")["pointed"].toMap();
    QCOMPARE(pointed["number"].toInt(), 0);
    QCOMPARE(pointed["boxes"].toList()[0].toMap()["x2"].toDouble(), 110.0);
    f.chat->regenerate(0);
    QVERIFY(wait([&] { return f.engine.questions.size() == 3; }));
    QCOMPARE(f.engine.questions[2].turns[0].regions, std::vector<QRectF>{box(10, 20, 110, 95)});
    QCOMPARE(f.engine.questions[2].turns[2].text, QString("What is this [region]?"));
    f.engine.last()->finish("A paw.");
    QVERIFY(wait([&] { return f.idle() && f.entry("footer")["siblings"].toInt() == 2; }));
    f.chat->begin_edit(0);
    QVERIFY(f.chat->composer()->pointing());
    QVERIFY(f.ask("Is it a nose?"));
    QVERIFY(!f.chat->composer()->pointing());
    QCOMPARE(f.engine.questions[3].turns[0].regions, std::vector<QRectF>{box(10, 20, 110, 95)});
    QCOMPARE(f.engine.questions[3].turns[2].text, QString("Is it a nose [region]?"));
    f.engine.last()->finish("Yes.");
    QVERIFY(wait([&] { return f.idle() && f.entry("user")["siblings"].toInt() == 2; }));
    f.chat->begin_edit(0);
    f.chat->composer()->drop_regions();
    QVERIFY(f.ask("And in all?"));
    QVERIFY(f.engine.questions[4].turns[0].regions.empty());
    QCOMPARE(f.engine.questions[4].turns[2].text, QString("And in all?"));
  }

  void a_refused_question_comes_back_with_its_region() {
    ChatFixture f;
    QVERIFY(ask_about_picture(f));
    {
      auto database = Database::open(f.folder.filePath("history.sqlite"), Access::read_write);
      QVERIFY(database && database->execute("CREATE TRIGGER no_more BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'full'); END"));
    }
    QVERIFY(f.chat->ask_region(0, sha_of_picture(f), box(10, 20, 110, 95), "What is this?"));
    QVERIFY(wait([&] { return f.idle() && f.chat->composer()->text() == "What is this?"; }));
    QVERIFY(f.chat->composer()->pointing());
    {
      auto database = Database::open(f.folder.filePath("history.sqlite"), Access::read_write);
      QVERIFY(database && database->execute("DROP TRIGGER no_more"));
    }
    f.chat->send();
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
    QCOMPARE(f.engine.questions[1].turns[0].regions.size(), size_t{1});
  }

  void an_export_holds_the_region() {
    ChatFixture f;
    QVERIFY(ask_about_picture(f));
    QVERIFY(ask_region(f, box(10, 20, 110, 95), "What is this?"));
    const Chat chat = *f.history->chat(f.chat->chat_id());
    const auto branch = f.stored();
    QVERIFY(markdown_of(chat, branch).contains("| region | 1 | 10 | 20 | 110 | 95 |"));
    const QJsonObject region = json_of(chat, branch)["messages"].toArray()[2].toObject()["boxes"].toArray()[0].toObject();
    QCOMPARE(region["box"].toArray(), (QJsonArray{10, 20, 110, 95}));
  }

  void an_answer_shows_the_box_that_it_cites() {
    ChatFixture f;
    QVERIFY(ask_about_picture(f));
    FakeAsking* asking = ask_region(f, box(10, 20, 110, 95), "What is this?");
    QVERIFY(asking);
    GroundedBox nose{"nose", 10, 20, 110, 95, 2, 6, 7, 33, 0};
    asking->finish("A nose [0.02, 0.2, 0.25, 0.36].", {nose});
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 4; }));
    const QVariantList boxes = f.chat->transcript()->pictures()[0].toMap()["boxes"].toList();
    QCOMPARE(boxes.size(), 1);
    QCOMPARE(boxes[0].toMap()["label"].toString(), QString("nose"));
  }

  void numbers_from_the_file_can_be_anything_data() {
    QTest::addColumn<QString>("boxes");
    QTest::addColumn<QRectF>("shown");  // empty: nothing is
    const auto region = [](const char* corners) { return QString("[{\"label\":\"region\",%1,\"picture\":0}]").arg(corners); };
    QTest::newRow("sound") << region(R"("x1":10,"y1":20,"x2":110,"y2":95)") << box(10, 20, 110, 95);
    QTest::newRow("swapped") << region(R"("x1":110,"y1":95,"x2":10,"y2":20)") << box(10, 20, 110, 95);
    QTest::newRow("outside") << region(R"("x1":-1e300,"y1":-5,"x2":1e300,"y2":4000)") << box(0, 0, 300, 300);
    QTest::newRow("beside the picture") << region(R"("x1":500,"y1":20,"x2":600,"y2":95)") << QRectF();
    QTest::newRow("no size") << region(R"("x1":10,"y1":20,"x2":10,"y2":95)") << QRectF();
    QTest::newRow("NaN") << region(R"("x1":"nan","y1":20,"x2":110,"y2":95)") << QRectF();
    QTest::newRow("null") << region(R"("x1":null,"y1":20,"x2":110,"y2":95)") << QRectF();
    QTest::newRow("corners are missing") << region(R"("x1":10)") << QRectF();
    QTest::newRow("too large for a number") << region(R"("x1":1e999,"y1":20,"x2":110,"y2":95)") << QRectF();
    QTest::newRow("picture -1") << region(R"("x1":10,"y1":20,"x2":110,"y2":95)").replace("\"picture\":0", "\"picture\":-1") << QRectF();
    QTest::newRow("picture 7") << region(R"("x1":10,"y1":20,"x2":110,"y2":95)").replace("\"picture\":0", "\"picture\":7") << QRectF();
    QTest::newRow("no list") << QString("{\"x1\":3}") << QRectF();
    QTest::newRow("no JSON") << QString("[{\"x1\":") << QRectF();
    QTest::newRow("list of numbers") << QString("[1,2,3,4]") << QRectF();
  }

  void numbers_from_the_file_can_be_anything() {
    QFETCH(QString, boxes);
    QFETCH(QRectF, shown);
    ChatFixture f;
    QVERIFY(ask_about_picture(f));
    FakeAsking* asking = ask_region(f, box(10, 20, 110, 95), "What is this?");
    QVERIFY(asking);
    asking->finish("A nose.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 4; }));
    const ChatId chat = f.chat->chat_id();
    {
      auto database = Database::open(f.folder.filePath("history.sqlite"), Access::read_write);
      QVERIFY(database);
      QVERIFY(Statement(*database, "UPDATE message SET boxes = ? WHERE text = 'What is this?'").bind(boxes).run());
    }
    f.reopen();
    QVERIFY(wait([&] { return f.chat->chats()->count() == 1; }));
    f.chat->open_chat(chat);
    QVERIFY(wait([&] { return f.kinds().size() == 8; }));
    const QVariantMap pointed = f.entry("user")["pointed"].toMap();
    QCOMPARE(pointed.isEmpty(), shown.isNull());
    f.chat->regenerate(0);
    QVERIFY(wait([&] { return f.engine.questions.size() == size_t{3}; }));
    const auto& turns = f.engine.questions.back().turns;
    QCOMPARE(turns[0].regions, shown.isNull() ? std::vector<QRectF>{} : std::vector<QRectF>{shown});
    QCOMPARE(turns[2].text, QString(shown.isNull() ? "What is this?" : "What is this [region]?"));
  }

  void hostile_numbers_in_memory() {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
    QVERIFY(!region_on({"", nan, 0, 10, 10}, cat));
    QVERIFY(!region_on({"", 0, 0, infinite, 10}, cat));
    QVERIFY(!region_on({"", 0, 0, 10, 10}, Attachment{.width = 0, .height = -4}));
    QCOMPARE(*region_on({"", 500, 10, -3, 1000}, cat), box(0, 10, 400, 300));
    std::vector<GroundedBox> many(1000, drawn_box(0, box(1, 1, 20, 20)));
    QCOMPARE(drawn_regions(many, std::vector{cat}).boxes.size(), static_cast<size_t>(most_regions));
  }

  void a_later_region_goes_beside_the_picture_where_it_is() {
    const AskPlan plan = ask_plan({question("What?", {cat}), answer("A cat."), question("This?", {}, {drawn_box(0, box(1, 2, 30, 40))}), answer("An ear."),
                                   question("And the colour of [region]", {}, {drawn_box(0, box(5, 6, 70, 80))}), answer("Red."), question("Is [region] big?")}, true);
    QCOMPARE(plan.pictures, std::vector<int>{0});
    QCOMPARE(plan.turns[0].regions, (std::vector<QRectF>{box(1, 2, 30, 40), box(5, 6, 70, 80)}));
    QCOMPARE(plan.turns[2].text, QString("This [region]?"));
    QCOMPARE(plan.turns[4].text, QString("And the colour of [region 2]"));
    QCOMPARE(plan.turns[6].text, QString("Is [region 2] big?"));  // the one spoken of last
    for (size_t i = 1; i < plan.turns.size(); ++i) QVERIFY(plan.turns[i].pictures.empty() && plan.turns[i].regions.empty());
  }

  void a_picture_that_is_no_longer_the_last_comes_along_again() {
    const AskPlan plan = ask_plan({question("First", {cat}), answer("A cat."), question("Second", {cup}), answer("A cup."),
                                   question("This?", {}, {drawn_box(0, box(1, 2, 30, 40))}), answer("An ear."),
                                   question("That?", {}, {drawn_box(0, box(5, 6, 70, 80))})}, true);
    QCOMPARE(plan.pictures, (std::vector<int>{0, 1, 0}));
    QVERIFY(plan.turns[0].regions.empty() && plan.turns[2].regions.empty() && plan.turns[6].pictures.empty());
    QCOMPARE(plan.turns[4].pictures[0].name, cat.name);
    QCOMPARE(plan.turns[4].regions.size(), size_t{2});
    QCOMPARE(plan.turns[4].text, QString("This [region]?"));
    QCOMPARE(plan.turns[6].text, QString("That [region 2]?"));
  }

  void boxes_of_an_answer_count_the_pictures_of_the_chat() {
    ChatFixture f;
    QVERIFY(ask_about_picture(f));
    f.chat->composer()->add_files({QUrl::fromLocalFile(ChatFixture::picture().replace("chelsea", "coffee"))});
    QVERIFY(wait([&] { return f.chat->composer()->draft().pictures.size() == 1; }));
    f.ask("And this?")->finish("A cup.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 4; }));
    FakeAsking* asking = ask_region(f, box(10, 20, 110, 95), "What is this?");
    QVERIFY(asking);
    QCOMPARE(f.engine.questions[2].turns[4].pictures.size(), size_t{1});
    asking->finish("A nose [0.02, 0.2, 0.25, 0.36].", {{"nose", 10, 20, 110, 95, 2, 6, 7, 33, 2}});
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 6; }));
    QCOMPARE(f.stored()[5].boxes[0].picture, 0);
  }

  void the_oldest_regions_of_many_are_left_out() {
    std::vector<Message> branch{question("What?", {cat}), answer("A cat.")};
    for (int i = 0; i < most_regions + 2; ++i) {
      branch.push_back(question("This?", {}, {drawn_box(0, box(i, i, 50 + i, 50))}));
      branch.push_back(answer("That."));
    }
    const AskPlan plan = ask_plan(branch, true);
    QCOMPARE(plan.turns[0].regions.size(), static_cast<size_t>(most_regions));
    QCOMPARE(plan.turns[0].regions[0].left(), 2.0);
    QCOMPARE(plan.turns[4].text, QString("This?"));
    QCOMPARE(plan.turns[6].text, QString("This [region]?"));
    QCOMPARE(plan.turns[12].text, QString("This [region 4]?"));
  }

  void a_model_that_takes_no_regions_reads_the_place() {
    const AskPlan plan = ask_plan({question("What?", {cat}), answer("A cat."), question("This?", {}, {drawn_box(0, box(100, 0, 200, 150))})}, false);
    QVERIFY(plan.turns[0].regions.empty());
    QCOMPARE(plan.turns[2].text, QString("This [0.25, 0.12, 0.50, 0.50]?"));  // 50 of 400 pixels are padding above
    QVERIFY(plan.turns[2].pictures.empty());
  }
};

QTEST_GUILESS_MAIN(TestRegions)
#include "tst_regions.moc"
