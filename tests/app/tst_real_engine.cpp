// The command line with the real engine and the default model; skipped where one of them is not there.
#include <signal.h>

#include <QDir>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QtTest>

#include "app/chat/ask_plan.h"
#include "app/chat/regions.h"
#include "app/engine/engine_client.h"
#include "app/engine/engine_process.h"
#include "app/library/model_library.h"
#include "app/media/media_store.h"
#include "tests/support/app/recorded.h"

using namespace lava::app;

namespace {
const QString fixtures = LAVA_SOURCE_DIR "/tests/fixtures/default/";
const QString chelsea = fixtures + "chelsea.png";
}  // namespace

class RealEngineTest : public QObject {
  Q_OBJECT
 private slots:
  void initTestCase();
  void json_with_a_box_on_the_cat();
  void the_second_question_reuses_the_picture();
  void a_region_of_an_earlier_picture();
  void cancelling_is_quick();
  void sigterm_leaves_no_engine();
};

void RealEngineTest::initTestCase() {
  if (!QFileInfo(QCoreApplication::applicationDirPath() + "/lavascope-engine").isExecutable()) QSKIP("the engine is not built");
  if (const QString problem = default_model().problem; !problem.isEmpty()) QSKIP(qPrintable(problem));
}

void RealEngineTest::json_with_a_box_on_the_cat() {
  QProcess process;
  process.start(QCoreApplication::applicationDirPath() + "/lavascope-cli", {"ask", "--no-save", "--json", "Where is the cat?", chelsea});
  QVERIFY(process.waitForFinished(120000));
  QVERIFY2(process.exitCode() == 0, process.readAllStandardError().constData());
  const QJsonObject o = QJsonDocument::fromJson(process.readAllStandardOutput()).object();
  const QJsonObject golden = recorded("chelsea.png", "Where is the cat?");
  QVERIFY(!golden.isEmpty());
  const QString wanted = golden["with_boxes"].toString();
  QCOMPARE(o["text"].toString(), wanted);
  const auto place = QRegularExpression(R"(\[([\d.]+), ([\d.]+), ([\d.]+), ([\d.]+)\])").match(wanted);
  QVERIFY2(place.hasMatch(), qPrintable(wanted));
  QVERIFY(o["timings"].toObject()["decode_tokens"].toInt() > 0);
  const QJsonArray boxes = o["boxes"].toArray();
  QVERIFY(!boxes.isEmpty());
  QCOMPARE(boxes[0].toObject()["label"].toString(), QString("cat"));
  const QJsonArray box = boxes[0].toObject()["box"].toArray();
  const double x1 = box[0].toDouble(), y1 = box[1].toDouble(), x2 = box[2].toDouble(), y2 = box[3].toDouble();
  QVERIFY(0 <= x1 && x1 < x2 && x2 <= 300 && 0 <= y1 && y1 < y2 && y2 <= 300);
  QVERIFY(x1 < 150 && 150 < x2 && y1 < 150 && 150 < y2);  // the face is in the middle
  for (int i = 0; i < 4; ++i) QVERIFY(std::abs(box[i].toDouble() - 300 * place.captured(i + 1).toDouble()) < 2);
}

void RealEngineTest::the_second_question_reuses_the_picture() {
  EngineProcess engine;
  engine.start({});
  QTRY_COMPARE_WITH_TIMEOUT(engine.state(), EngineProcess::State::ready, 60000);
  QVERIFY(engine.props()["vision"].toBool());
  const auto picture = load_picture(chelsea);
  const TurnContent turn{Role::user, "What is in this picture?", {picture->bytes}, {picture->attachment.mime}};
  AnswerDone answers[2];
  for (AnswerDone& answer : answers) {
    Question question(engine.url(), engine.token(), {turn}, {});
    connect(&question, &Question::done, this, [&](const AnswerDone& done) { answer = done; });
    QTRY_VERIFY_WITH_TIMEOUT(!answer.text.isEmpty(), 60000);
  }
  QCOMPARE(answers[0].text, answers[1].text);
  QVERIFY(answers[1].timings["cached_tokens"].toInt() > 0);
}

// The answer follows two questions about regions, the second of a picture that is no longer the last.
void RealEngineTest::a_region_of_an_earlier_picture() {
  EngineProcess engine;
  engine.start({});
  QTRY_COMPARE_WITH_TIMEOUT(engine.state(), EngineProcess::State::ready, 60000);
  QVERIFY(engine.props()["regions"].toBool());
  const LoadedPicture pictures[] = {*load_picture(chelsea), *load_picture(fixtures + "coffee.png")};
  const auto message = [](Role role, const QString& text) {
    Message m;
    m.role = role;
    m.text = text;
    return m;
  };
  std::vector<Message> branch{message(Role::user, "What is in this picture?"), message(Role::assistant, "A cat."), message(Role::user, "What is this?"),
                              message(Role::assistant, "An ear."), message(Role::user, "And this picture?"), message(Role::assistant, "A cup."),
                              message(Role::user, "What is this?")};
  branch[0].attachments = {pictures[0].attachment};
  branch[4].attachments = {pictures[1].attachment};
  branch[2].boxes = branch[6].boxes = {drawn_box(0, QRectF(20, 10, 200, 150))};
  const AskPlan plan = ask_plan(branch, true);
  QCOMPARE(plan.pictures, (std::vector<int>{0, 1, 0}));
  std::vector<TurnContent> turns;
  for (const AskTurn& turn : plan.turns) {
    turns.push_back({turn.role, turn.text, {}, {}, turn.regions});
    for (const Attachment& picture : turn.pictures) {
      turns.back().pictures.push_back(pictures[picture.sha256 == pictures[0].attachment.sha256 ? 0 : 1].bytes);
      turns.back().picture_types.push_back(picture.mime);
    }
  }
  Question question(engine.url(), engine.token(), turns, {});
  QSignalSpy done(&question, &Question::done), failed(&question, &Question::failed);
  QTRY_VERIFY_WITH_TIMEOUT(done.count() + failed.count() == 1, 60000);
  QVERIFY2(failed.isEmpty(), failed.isEmpty() ? "" : failed[0][0].value<lava::Error>().message().c_str());
  QVERIFY(!done[0][0].value<AnswerDone>().text.isEmpty());
}

void RealEngineTest::cancelling_is_quick() {
  EngineProcess engine;
  engine.start({});
  QTRY_COMPARE_WITH_TIMEOUT(engine.state(), EngineProcess::State::ready, 60000);
  AskOptions options;
  options.max_tokens = 4000;
  Question first(engine.url(), engine.token(), {TurnContent{Role::user, "Count from one to one thousand in words.", {}, {}}}, options);
  QSignalSpy text(&first, &Question::text), cancelled(&first, &Question::cancelled);
  QVERIFY(text.wait(60000));
  first.cancel();
  QVERIFY(cancelled.count() == 1 || cancelled.wait(1000));
  // The engine is free again at once: a short question is not behind a long one.
  QElapsedTimer timer;
  timer.start();
  options.max_tokens = 1;
  Question second(engine.url(), engine.token(), {TurnContent{Role::user, "Hi", {}, {}}}, options);
  QSignalSpy done(&second, &Question::done);
  QVERIFY(done.wait(20000));
  QVERIFY(timer.elapsed() < 10000);
}

void RealEngineTest::sigterm_leaves_no_engine() {
  QProcess process;
  process.start(QCoreApplication::applicationDirPath() + "/lavascope-cli",
                {"ask", "--no-save", "--max-tokens", "4000", "Count from one to one thousand in words."});
  QVERIFY(process.waitForReadyRead(60000));
  QFile children(QString("/proc/%1/task/%1/children").arg(process.processId()));
  QVERIFY(children.open(QFile::ReadOnly));
  const qint64 engine = children.readAll().split(' ').value(0).toLongLong();
  QVERIFY(engine > 0);
  ::kill(static_cast<pid_t>(process.processId()), SIGTERM);
  QVERIFY(process.waitForFinished(10000));
  QCOMPARE(process.exitStatus(), QProcess::NormalExit);
  QVERIFY(::kill(static_cast<pid_t>(engine), 0) != 0);
}

QTEST_GUILESS_MAIN(RealEngineTest)
#include "tst_real_engine.moc"
