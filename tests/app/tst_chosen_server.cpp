// The window's engine while a server elsewhere is chosen: what is sent there, what is kept, and the way back to this computer.
#include <sys/stat.h>

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "app/chat/chosen_engine.h"
#include "app/chat/server_form.h"
#include "app/settings/preferences.h"
#include "tests/support/app/children.h"
#include "tests/support/app/fake_server.h"

using namespace lava;
using namespace lava::app;
using State = EngineLink::State;

namespace {

ServerPlace place_of(const FakeServer& server) { return {server.url(), FakeServer::token()}; }

}  // namespace

class ChosenServerTest : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  MediaStore media_{home_.filePath("media")};

  QString config(const char* name) const { return home_.filePath(QString("config/lavascope/") + name); }
  QByteArray read(const QString& path) const {
    QFile file(path);
    return file.open(QFile::ReadOnly) ? file.readAll() : QByteArray();
  }
  AskTurn question(const QString& words) const { return {Role::user, words, {}, {}}; }
  AskTurn about_a_picture(const QString& words) const {
    return {Role::user, words, {media_.add_file(LAVA_SOURCE_DIR "/tests/fixtures/default/chelsea.png").value()}, {}};
  }

 private slots:
  void init() {
    qputenv("XDG_CONFIG_HOME", home_.filePath("config").toUtf8());
    qunsetenv("LAVA_FAKE");
    QDir(home_.filePath("config")).removeRecursively();
  }

  void the_token_is_kept_apart_and_private() {
    QVERIFY(preferences::server().address.isEmpty());
    QVERIFY(preferences::set_server({"http://gpu:8080", "very-secret", true}));
    const auto kept = preferences::server();
    QCOMPARE(kept.address, QString("http://gpu:8080"));
    QCOMPARE(kept.token, QString("very-secret"));
    QVERIFY(kept.used);
    QVERIFY(!read(config("settings.json")).contains("very-secret"));
    struct stat status{};
    QCOMPARE(::stat(config("server-token.json").toUtf8().constData(), &status), 0);
    QCOMPARE(status.st_mode & 0777, 0600u);
    QCOMPARE(QDir(home_.filePath("config/lavascope")).entryList(QDir::Files | QDir::Hidden).size(), 2);  // nothing half written
  }

  void a_token_belongs_to_its_address() {
    QVERIFY(preferences::set_server({"http://gpu:8080", "very-secret", true}));
    QFile file(config("settings.json"));
    QVERIFY(file.open(QFile::WriteOnly));
    file.write(QJsonDocument(QJsonObject{{"server", QJsonObject{{"address", "http://evil:1"}, {"used", true}}}}).toJson());
    file.close();
    QCOMPARE(preferences::server().token, QString());
    QVERIFY(preferences::set_server({"http://other:1", "", true}));
    QVERIFY(!QFile::exists(config("server-token.json")));
  }

  void a_device_is_chosen_instead_and_the_address_stays() {
    QVERIFY(preferences::set_server({"http://gpu:8080", "very-secret", true}));
    QVERIFY(preferences::set_device("cpu"));
    QVERIFY(!preferences::server().used);
    QCOMPARE(preferences::server().address, QString("http://gpu:8080"));
    QCOMPARE(preferences::server().token, QString("very-secret"));
  }

  void a_server_takes_the_place_of_the_engine_here_and_gives_it_back() {
    FakeServer server;
    ChosenEngine engine(media_);
    engine.start({.program = FakeServer::program()});
    QTRY_COMPARE(engine.state(), State::ready);
    QVERIFY(!engine.remote());
    QCOMPARE(programs(), 2);  // the engine, and the server that this test started
    engine.use_server(place_of(server));
    QVERIFY(engine.remote());
    QCOMPARE(engine.device_choice(), QString("server"));
    QTRY_COMPARE(engine.state(), State::ready);
    QTRY_COMPARE(programs(), 1);
    QCOMPARE(engine.server_name(), place_of(server).name());
    QCOMPARE(engine.device_memory(), 0.0);
    QVERIFY(preferences::server().used);
    Asking* asking = engine.ask({question("hello")}, {}, this);
    QSignalSpy done(asking, &Asking::done);
    QTRY_COMPARE(done.size(), 1);
    QCOMPARE(server.last()["question"].toString(), QString("hello"));
    QCOMPARE(server.last()["extension"].toBool(), true);
    engine.use_device("cpu");
    QVERIFY(!engine.remote() && !preferences::server().used);
    QTRY_COMPARE(engine.state(), State::ready);
    QCOMPARE(programs(), 2);
    QCOMPARE(engine.known_server().address, server.url());  // for the next time
    QCOMPARE(engine.known_server().token, FakeServer::token());
  }

  void it_starts_on_a_server_without_an_engine_here() {
    FakeServer server;
    ChosenEngine engine(media_);
    engine.start({.program = "/no/such/engine"}, place_of(server));
    QTRY_COMPARE(engine.state(), State::ready);
    QCOMPARE(programs(), 1);
    QVERIFY(preferences::server().address.isEmpty());  // what the command line says holds for this window
  }

  void a_foreign_server_gets_no_field_of_ours() {
    FakeServer server("foreign");
    ChosenEngine engine(media_);
    engine.start({}, place_of(server));
    QTRY_COMPARE(engine.state(), State::ready);
    QVERIFY(!engine.ours() && !engine.vision() && !engine.blind() && !engine.takes_regions());
    QCOMPARE(engine.model_name(), QString("llava"));
    QCOMPARE(engine.backend(), QString());
    Asking* asking = engine.ask({about_a_picture("What is it?")}, {}, this);
    QSignalSpy done(asking, &Asking::done);
    QTRY_COMPARE(done.size(), 1);
    const QJsonObject last = server.last();
    QCOMPARE(last["model"].toString(), QString("someone/llava"));
    QCOMPARE(last["pictures"].toInt(), 1);  // it may see: nobody says that it does not
    QCOMPARE(last["extension"].toBool(), false);
    bool told = false;
    engine.count_tokens(10, 10, this, [&](std::optional<int> tokens) { told = !tokens; });
    QTRY_VERIFY(told);
    QCOMPARE(server.last()["requests"].toInt(), last["requests"].toInt());
  }

  void a_model_that_reads_words_only_is_known() {
    FakeServer server("llama");
    ChosenEngine engine(media_);
    engine.start({}, place_of(server));
    QTRY_COMPARE(engine.state(), State::ready);
    QVERIFY(engine.blind());
  }

  void an_answer_that_breaks_off_leaves_the_way_back() {
    auto server = std::make_unique<FakeServer>();
    const int port = server->url().port();
    ChosenEngine engine(media_);
    engine.start({}, place_of(*server));
    QTRY_COMPARE(engine.state(), State::ready);
    Asking* asking = engine.ask({question("crash")}, {}, this);
    QSignalSpy text(asking, &Asking::text), failed(asking, &Asking::failed);
    bool knew = false;
    connect(asking, &Asking::failed, this, [&] { knew = engine.state() == State::starting; });
    QTRY_COMPARE(failed.size(), 1);
    QVERIFY(knew);
    QCOMPARE(text[0][0].toString(), QString("Half an"));
    const std::string remedy = failed[0][0].value<Error>().remedy;
    QVERIFY2(remedy.find("restart") == std::string::npos, remedy.c_str());
    QTRY_COMPARE(engine.state(), State::failed);
    QVERIFY(engine.lost() && !engine.model_missing() && !engine.device_missing());
    server = std::make_unique<FakeServer>(QString(), port);
    engine.restart();
    QTRY_COMPARE(engine.state(), State::ready);
    Asking* next = engine.ask({question("hello")}, {}, this);
    QSignalSpy done(next, &Asking::done);
    QTRY_COMPARE(done.size(), 1);
  }

  void a_server_that_refuses_a_question_stays() {
    FakeServer server;
    ChosenEngine engine(media_);
    engine.start({}, place_of(server));
    QTRY_COMPARE(engine.state(), State::ready);
    Asking* asking = engine.ask({question("undecodable")}, {}, this);
    QSignalSpy failed(asking, &Asking::failed);
    QTRY_COMPARE(failed.size(), 1);
    QCOMPARE(engine.state(), State::ready);
  }

  void another_choice_stops_an_answer() {
    FakeServer server;
    ChosenEngine engine(media_);
    engine.start({.program = FakeServer::program()}, place_of(server));
    QTRY_COMPARE(engine.state(), State::ready);
    Asking* asking = engine.ask({question("slow")}, {}, this);
    QSignalSpy text(asking, &Asking::text), cancelled(asking, &Asking::cancelled);
    QTRY_VERIFY(!text.isEmpty());
    engine.use_device("cpu");
    QTRY_COMPARE(cancelled.size(), 1);
    QTRY_VERIFY(server.last()["cancelled"].toBool());
    QTRY_COMPARE(engine.state(), State::ready);
  }

  void the_form_changes_nothing_until_the_server_is_found() {
    FakeServer server, deaf("mute");
    ChosenEngine engine(media_);
    engine.start({.program = FakeServer::program()});
    QTRY_COMPARE(engine.state(), State::ready);
    auto* form = qobject_cast<ServerForm*>(engine.server_form());
    QSignalSpy reached(form, &ServerForm::reached);
    form->open();
    form->submit("not an address", "");
    QVERIFY(!form->address_problem().isEmpty() && form->token_problem().isEmpty());
    form->submit(server.url().toString(), "two words");
    QVERIFY(form->address_problem().isEmpty() && !form->token_problem().isEmpty());
    form->submit(server.url().toString(), "wrong");
    QVERIFY(form->trying() && form->token_problem().isEmpty());
    QTRY_VERIFY(!form->trying());
    QVERIFY2(form->token_problem().contains("does not take this token"), qPrintable(form->token_problem()));
    form->submit(deaf.url().toString(), "");
    QTest::qWait(200);
    QVERIFY(form->trying());
    form->cancel();
    QVERIFY(!form->trying());
    QVERIFY(!engine.remote() && engine.state() == State::ready && reached.isEmpty());
    form->submit(server.url().toString() + "/v1/", FakeServer::token());
    QTRY_COMPARE(reached.size(), 1);
    QVERIFY(engine.remote());
    QTRY_COMPARE(engine.state(), State::ready);
    form->open();
    QCOMPARE(form->token(), FakeServer::token());
    QVERIFY(form->token_fits(server.url().toString() + "/") && !form->token_fits("http://elsewhere"));
  }

  void a_choice_that_cannot_be_kept_holds_and_says_so() {
    FakeServer server;
    ChosenEngine engine(media_);
    QFile blocker(home_.filePath("config"));
    QVERIFY(blocker.open(QFile::WriteOnly));
    blocker.close();
    engine.use_server(place_of(server));
    QFile::remove(home_.filePath("config"));
    QCOMPARE(engine.device_notes().size(), 1);
    QVERIFY(!engine.device_notes()[0].contains(FakeServer::token()));
    QTRY_COMPARE(engine.state(), State::ready);
  }
};

QTEST_GUILESS_MAIN(ChosenServerTest)
#include "tst_chosen_server.moc"
