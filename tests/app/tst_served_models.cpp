// A server that is not ours may offer several models: which one is asked, what is known of it, and that the choice is kept with the server.
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "app/chat/chosen_engine.h"
#include "app/chat/server_form.h"
#include "app/settings/preferences.h"
#include "tests/support/app/fake_server.h"

using namespace lava;
using namespace lava::app;
using State = EngineLink::State;

namespace {

QJsonObject parsed(const char* json) { return QJsonDocument::fromJson(json).object(); }

constexpr char three[] = R"({"data":[{"id":"embed"},{"id":"words","capabilities":{"vision":false}},{"id":"eyes","capabilities":{"vision":true}},{"id":"words"},{"id":7}]})";

ServerPlace place_of(const FakeServer& server) { return {server.url(), FakeServer::token()}; }

QStringList names(const QVariantList& rows) {
  QStringList all;
  for (const QVariant& row : rows) all << row.toMap()["name"].toString();
  return all;
}

}  // namespace

class ServedModelsTest : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  MediaStore media_{home_.filePath("media")};

  std::vector<AskTurn> question(const QString& words) const { return {AskTurn{Role::user, words, {}, {}}}; }
  QString asked_model(ChosenEngine& engine, const FakeServer& server) {
    Asking* asking = engine.ask(question("hello"), {}, this);
    QSignalSpy done(asking, &Asking::done);
    if (!done.wait(20000)) return "(no answer)";
    return server.last()["model"].toString();
  }
  QJsonObject kept() const {
    QFile file(home_.filePath("config/lavascope/settings.json"));
    return file.open(QFile::ReadOnly) ? QJsonDocument::fromJson(file.readAll())["server"].toObject() : QJsonObject();
  }

 private slots:
  void init() {
    qputenv("XDG_CONFIG_HOME", home_.filePath("config").toUtf8());
    qunsetenv("LAVA_FAKE");
    QDir(home_.filePath("config")).removeRecursively();
  }

  void what_is_offered_is_listed_once() {
    const QJsonObject props = foreign_props(parsed(three), {});
    QCOMPARE(props["served_model"], QJsonValue("eyes"));
    QCOMPARE(props["served_models"], QJsonValue(QJsonArray{QJsonObject{{"id", "embed"}}, QJsonObject{{"id", "words"}, {"vision", false}}, QJsonObject{{"id", "eyes"}, {"vision", true}}}));
    QVERIFY(!props.contains("notice"));
    QVERIFY(!foreign_props(parsed(R"({"data":[{"id":"alone"}]})"), {}).contains("served_models"));
  }

  void the_wanted_one_is_asked() {
    const QJsonObject props = foreign_props(parsed(three), {}, "words");
    QCOMPARE(props["served_model"], QJsonValue("words"));
    QCOMPARE(props["vision"], QJsonValue(false));
    QVERIFY(!foreign_props(parsed(three), {}, "embed").contains("vision"));  // nobody says
  }

  void one_that_is_gone_is_told() {
    const QJsonObject props = foreign_props(parsed(three), {}, "old");
    QCOMPARE(props["served_model"], QJsonValue("eyes"));
    QVERIFY(props["notice"].toString().contains("old") && props["notice"].toString().contains("eyes"));
    QVERIFY(!with_model(props, "words").contains("notice"));
  }

  void another_is_taken_out_of_the_same_list() {
    const QJsonObject props = foreign_props(parsed(three), {});
    QCOMPARE(with_model(props, "words"), foreign_props(parsed(three), {}, "words"));
    QCOMPARE(with_model(props, ""), props);
    const QJsonObject alone = foreign_props(parsed(R"({"data":[{"id":"alone"}]})"), {});
    QCOMPARE(with_model(alone, "other"), alone);
  }

  void what_a_server_says_of_itself_holds_for_one_model_only() {
    const QJsonObject props = foreign_props(parsed(R"({"data":[{"id":"a"},{"id":"b"}]})"), parsed(R"({"modalities":{"vision":true}})"));
    QVERIFY(!props.contains("vision"));
  }

  void the_choice_holds_and_is_kept() {
    FakeServer server("router");
    ChosenEngine engine(media_);
    engine.use_server(place_of(server));
    QTRY_COMPARE(engine.state(), State::ready);
    QCOMPARE(engine.served_count(), 3);
    QCOMPARE(names(engine.served_models("")), (QStringList{"Automatic", "a/embed-1", "b/words-2.5", "c/sees-3.1-pro"}));
    QCOMPARE(names(engine.served_models(" SEES")), QStringList{"c/sees-3.1-pro"});
    QCOMPARE(engine.served_model(), QString("c/sees-3.1-pro"));
    QVERIFY(engine.vision());
    QVERIFY(!kept().contains("model"));
    engine.use_served_model("b/words-2.5");
    QCOMPARE(engine.state(), State::ready);  // nothing is looked for anew
    QCOMPARE(engine.model_name(), QString("words-2.5"));
    QVERIFY(engine.blind());
    QCOMPARE(engine.served_choice(), QString("b/words-2.5"));
    QCOMPARE(asked_model(engine, server), QString("b/words-2.5"));
    QCOMPARE(kept()["model"].toString(), QString("b/words-2.5"));
    QCOMPARE(kept()["address"].toString(), server.url().toString());
    engine.restart();
    QTRY_COMPARE(engine.state(), State::ready);
    QCOMPARE(engine.served_model(), QString("b/words-2.5"));

    ChosenEngine next(media_);
    next.start({}, kept_server());
    QTRY_COMPARE(next.state(), State::ready);
    QCOMPARE(asked_model(next, server), QString("b/words-2.5"));
    next.use_served_model("");
    QCOMPARE(next.served_model(), QString("c/sees-3.1-pro"));
    QVERIFY(!kept().contains("model"));
  }

  void an_answer_under_way_goes_on() {
    FakeServer server("router");
    ChosenEngine engine(media_);
    engine.use_server(place_of(server));
    QTRY_COMPARE(engine.state(), State::ready);
    Asking* asking = engine.ask(question("slow"), {}, this);
    QSignalSpy text(asking, &Asking::text), cancelled(asking, &Asking::cancelled), failed(asking, &Asking::failed);
    QTRY_VERIFY(!text.isEmpty());
    engine.use_served_model("a/embed-1");
    const auto heard = text.size();
    QTRY_VERIFY(text.size() > heard + 3);
    QVERIFY(cancelled.isEmpty() && failed.isEmpty());
  }

  void a_model_that_is_gone_is_told_and_the_choice_stays() {
    FakeServer server("router");
    ServerPlace place = place_of(server);
    place.model = "gone/model";
    ChosenEngine engine(media_);
    engine.use_server(place);
    QTRY_COMPARE(engine.state(), State::ready);
    QVERIFY2(engine.notice().startsWith("gone/model is not offered there now"), qPrintable(engine.notice()));
    QCOMPARE(asked_model(engine, server), QString("c/sees-3.1-pro"));
    QCOMPARE(kept()["model"].toString(), QString("gone/model"));  // it may come back
    engine.use_served_model("c/sees-3.1-pro");
    QCOMPARE(engine.notice(), QString());
  }

  void a_choice_belongs_to_its_server() {
    FakeServer server("router"), other("router");
    ChosenEngine engine(media_);
    engine.use_server(place_of(server));
    QTRY_COMPARE(engine.state(), State::ready);
    engine.use_served_model("b/words-2.5");
    auto* form = qobject_cast<ServerForm*>(engine.server_form());
    QSignalSpy reached(form, &ServerForm::reached);
    form->open();
    form->submit(server.url().toString(), FakeServer::token());  // the same once more
    QTRY_COMPARE(reached.size(), 1);
    QTRY_COMPARE(engine.served_model(), QString("b/words-2.5"));
    form->open();
    form->submit(other.url().toString(), FakeServer::token());
    QTRY_COMPARE(reached.size(), 2);
    QTRY_COMPARE(engine.served_model(), QString("c/sees-3.1-pro"));
    QCOMPARE(engine.served_choice(), QString());
  }

  void an_engine_of_ours_has_one() {
    FakeServer server;
    ChosenEngine engine(media_);
    engine.use_server(place_of(server));
    QTRY_COMPARE(engine.state(), State::ready);
    QCOMPARE(engine.served_count(), 0);
    engine.use_served_model("other");
    QCOMPARE(engine.model_name(), QString("fake"));
  }
};

QTEST_GUILESS_MAIN(ServedModelsTest)
#include "tst_served_models.moc"
