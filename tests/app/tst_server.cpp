// A server elsewhere: its address, what is in the way of it, what it says of itself, and how it goes and comes back.
#include <QSignalSpy>
#include <QTcpServer>
#include <QTcpSocket>
#include <QtTest>

#include "app/engine/server_link.h"
#include "tests/support/app/fake_server.h"

using namespace lava;
using namespace lava::app;
using State = EngineProcess::State;

namespace {

QString text(const std::string& s) { return QString::fromStdString(s); }

ServerPlace place_of(const QUrl& url, const QString& token = FakeServer::token()) { return {url, token}; }

QJsonObject parsed(const char* json) { return QJsonDocument::fromJson(json).object(); }

// Something listens there and sends `greeting` to whoever connects.
class Stranger {
 public:
  explicit Stranger(const QByteArray& greeting) {
    server_.listen(QHostAddress::LocalHost);
    QObject::connect(&server_, &QTcpServer::newConnection, &server_, [this, greeting] {
      QTcpSocket* socket = server_.nextPendingConnection();
      socket->write(greeting);
      socket->disconnectFromHost();
    });
  }
  QUrl url(const char* scheme = "http") const { return QUrl(QString("%1://127.0.0.1:%2").arg(scheme).arg(server_.serverPort())); }

 private:
  QTcpServer server_;
};

}  // namespace

class ServerTest : public QObject {
  Q_OBJECT

 private slots:
  void addresses_as_people_write_them_data() {
    QTest::addColumn<QString>("written");
    QTest::addColumn<QString>("meant");  // empty: refused
    QTest::newRow("whole") << "http://gpu-server:8080" << "http://gpu-server:8080";
    QTest::newRow("without http") << " gpu-server:8080\n" << "http://gpu-server:8080";
    QTest::newRow("name alone") << "gpu-server" << "http://gpu-server";
    QTest::newRow("number") << "192.168.1.5:8080/" << "http://192.168.1.5:8080";
    QTest::newRow("IPv6") << "[::1]:8080" << "http://[::1]:8080";
    QTest::newRow("v1") << "https://api.example.com/openai/v1/" << "https://api.example.com/openai";
    QTest::newRow("v1 alone") << "gpu:80/v1" << "http://gpu:80";
    QTest::newRow("question and mark") << "http://a:1/x?key=1#y" << "http://a:1/x";
    QTest::newRow("nothing") << "  " << "";
    QTest::newRow("words") << "my gpu server" << "";
    QTest::newRow("other scheme") << "ftp://gpu" << "";
    QTest::newRow("file") << "file:///etc/passwd" << "";
    QTest::newRow("port 0") << "gpu:0" << "";
    QTest::newRow("large port") << "gpu:99999" << "";
    QTest::newRow("port of letters") << "gpu:http" << "";
    QTest::newRow("no host") << "http://:8080" << "";
    QTest::newRow("password") << "http://me:secret@gpu:8080" << "";
    QTest::newRow("endless") << QString(100000, 'a') << "";
  }

  void addresses_as_people_write_them() {
    QFETCH(QString, written);
    QFETCH(QString, meant);
    const auto url = server_address(written);
    QCOMPARE(url ? url->toString() : QString(), meant);
    if (url) return;
    QVERIFY(!url.error().cause.empty() && !url.error().remedy.empty());
    QVERIFY(!text(url.error().message()).contains("secret"));
  }

  void tokens_fit_into_a_header() {
    QCOMPARE(server_token(" abc-DEF_1.~+/= \n").value(), QString("abc-DEF_1.~+/="));
    for (const char* wrong : {"a b", "a\nX-Other: 1", "a\r\nb", "caf\xC3\xA9"}) QVERIFY(!server_token(QString::fromUtf8(wrong)));
    QVERIFY(!server_token(QString(100000, 'x')));
  }

  void places_have_names_and_dangers() {
    QCOMPARE((ServerPlace{QUrl("http://gpu:8080"), {}}.name()), QString("gpu:8080"));
    QCOMPARE((ServerPlace{QUrl("http://[fe80::1]:80"), {}}.name()), QString("[fe80::1]:80"));
    QCOMPARE(ServerPlace().name(), QString());
    for (const char* safe : {"https://gpu", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"}) QVERIFY((ServerPlace{QUrl(safe), {}}.encrypted()));
    QVERIFY(!(ServerPlace{QUrl("http://gpu"), {}}.encrypted()));
  }

  void what_other_servers_tell_of_their_models() {
    const auto plain = foreign_props(parsed(R"({"data":[{"id":"x/y"}]})"), {});
    QCOMPARE(plain, (QJsonObject{{"model", "x/y"}, {"served_model", "x/y"}}));  // nobody knows whether it sees
    QCOMPARE(foreign_props(parsed(R"({"data":[{"id":"a"}]})"), parsed(R"({"modalities":{"vision":false}})"))["vision"], QJsonValue(false));
    QCOMPARE(foreign_props(parsed(R"({"data":[{"id":"a","capabilities":{"vision":true}}]})"), {})["vision"], QJsonValue(true));
    QCOMPARE(foreign_props(parsed(R"({"data":[{"id":"a"}],"models":[{"capabilities":["completion","multimodal"]}]})"), {})["vision"], QJsonValue(true));
    QCOMPARE(foreign_props(parsed(R"({"data":[{"id":"text-embed"},{"id":"b"}]})"), {})["model"], QJsonValue("b"));
    QCOMPARE(foreign_props(parsed(R"({"data":[{"id":"b"},{"id":"c","architecture":{"input_modalities":["text","image"]}}]})"), {})["model"], QJsonValue("c"));
    for (const char* none : {R"({"data":[]})", R"({"data":[7,null,"a",{"id":3}]})", R"({"data":{}})", "{}"}) QVERIFY(foreign_props(parsed(none), {}).isEmpty());
  }

  void an_engine_of_ours_is_ready_with_its_props() {
    FakeServer server;
    ServerLink link;
    QCOMPARE(link.state(), State::stopped);
    link.open(place_of(server.url()));
    QCOMPARE(link.state(), State::starting);
    QTRY_COMPARE(link.state(), State::ready);
    QVERIFY(is_ours(link.props()));
    QCOMPARE(link.props()["model"].toString(), QString("fake"));
    link.close();
    QCOMPARE(link.state(), State::stopped);
    QVERIFY(link.props().isEmpty());
  }

  void a_model_that_loads_there_is_waited_for_data() {
    QTest::addColumn<QString>("fake");
    QTest::newRow("ours") << "slow_load";
    QTest::newRow("llama.cpp") << "llama";
  }

  void a_model_that_loads_there_is_waited_for() {
    QFETCH(QString, fake);
    FakeServer server(fake);
    ServerLink link;
    link.open(place_of(server.url()));
    QTRY_COMPARE(link.state(), State::loading);
    QTRY_COMPARE(link.state(), State::ready);
    QCOMPARE(link.progress(), 1.0);
    QCOMPARE(link.props().contains("served_model"), fake == "llama");
    if (fake == "llama") QCOMPARE(link.props()["vision"], QJsonValue(false));
  }

  void other_servers_are_asked_for_their_models() {
    FakeServer server("router");  // without /health
    ServerLink link;
    link.open(place_of(server.url()));
    QTRY_COMPARE(link.state(), State::ready);
    QVERIFY(!is_ours(link.props()));
    QCOMPARE(link.props()["served_model"].toString(), QString("c/sees-3.1-pro"));
    QCOMPARE(link.props()["vision"], QJsonValue(true));
  }

  void what_is_in_the_way_is_named_data() {
    QTest::addColumn<QString>("fake");
    QTest::addColumn<QString>("what");
    QTest::addColumn<QString>("cause");
    QTest::newRow("html") << "html" << "is no engine" << "a page";
    QTest::newRow("no models") << "no_models" << "offers no model" << "empty";
    QTest::newRow("gateway") << "busy" << "cannot answer now" << "502";
    QTest::newRow("its model does not load") << "load_error" << "The model file ends early" << "tensor x";
  }

  void what_is_in_the_way_is_named() {
    QFETCH(QString, fake);
    QFETCH(QString, what);
    QFETCH(QString, cause);
    FakeServer server(fake);
    ServerLink link;
    link.open(place_of(server.url()));
    QTRY_COMPARE(link.state(), State::failed);
    QVERIFY2(text(link.error().what).contains(what) && text(link.error().cause).contains(cause), link.error().message().c_str());
    QVERIFY(!link.error().remedy.empty());
    QVERIFY(!link.token_refused() && !link.lost());
  }

  void a_wrong_token_is_told_as_that() {
    FakeServer server;
    for (const char* token : {"wrong", ""}) {
      ServerLink link;
      link.open(place_of(server.url(), token));
      QTRY_COMPARE(link.state(), State::failed);
      QVERIFY(link.token_refused());
      QVERIFY2(text(link.error().what).endsWith(*token ? "does not take this token" : "wants a token"), link.error().what.c_str());
      QVERIFY(!text(link.error().message()).contains("wrong"));  // the token itself is shown nowhere
    }
  }

  void addresses_where_nothing_is_data() {
    QTest::addColumn<QUrl>("url");
    QTest::addColumn<QString>("said");
    QTest::newRow("nobody listens") << QUrl("http://127.0.0.1:1") << "Nothing answers at 127.0.0.1:1";
    QTest::newRow("no such host") << QUrl("http://no-such-host.invalid:8080") << "There is no computer called no-such-host.invalid";
  }

  void addresses_where_nothing_is() {
    QFETCH(QUrl, url);
    QFETCH(QString, said);
    ServerLink link;
    link.open(place_of(url));
    QTRY_COMPARE_WITH_TIMEOUT(link.state(), State::failed, 30000);
    QCOMPARE(text(link.error().what), said);
    QVERIFY(!link.error().remedy.empty());
  }

  void strangers_data() {
    QTest::addColumn<QByteArray>("greeting");
    QTest::addColumn<QString>("scheme");
    QTest::addColumn<QString>("said");
    QTest::newRow("another protocol") << QByteArray("SSH-2.0-OpenSSH_9.2\r\n") << "http" << "no engine";
    QTest::newRow("hangs up") << QByteArray() << "http" << "broke off";
    QTest::newRow("half an answer") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"stat") << "http" << "";
    QTest::newRow("no TLS") << QByteArray("HTTP/1.1 400 Bad Request\r\n\r\n") << "https" << "no safe connection";
  }

  void strangers() {
    QFETCH(QByteArray, greeting);
    QFETCH(QString, scheme);
    QFETCH(QString, said);
    Stranger stranger(greeting);
    ServerLink link;
    link.open(place_of(stranger.url(scheme.toLatin1())));
    QTRY_COMPARE_WITH_TIMEOUT(link.state(), State::failed, 30000);
    QVERIFY2(text(link.error().what).contains(said), link.error().message().c_str());
  }

  void a_redirect_is_told_and_not_followed() {
    FakeServer goal, server("redirect:" + goal.url().toString());
    ServerLink link;
    link.open(place_of(server.url()));
    QTRY_COMPARE(link.state(), State::failed);
    QVERIFY2(text(link.error().what).contains("another address") && text(link.error().cause).contains(goal.url().toString()), link.error().message().c_str());
    QCOMPARE(goal.last()["requests"].toInt(), 0);
  }

  void a_silent_server_is_given_up_and_can_be_left() {
    FakeServer server("mute");
    {
      ServerLink link;
      link.open(place_of(server.url()));
      QTest::qWait(300);
      QElapsedTimer timer;
      timer.start();
      link.close();
      QVERIFY(timer.elapsed() < 1000);
    }
    ServerLink link;
    link.open(place_of(server.url()));
    QTRY_COMPARE_WITH_TIMEOUT(link.state(), State::failed, 2 * server_patience_ms);
    QVERIFY2(text(link.error().message()).contains("does not answer"), link.error().message().c_str());
  }

  void it_goes_and_comes_back_by_itself() {
    auto server = std::make_unique<FakeServer>();
    const QUrl url = server->url();
    ServerLink link;
    link.set_intervals(50, 50);
    QSignalSpy states(&link, &ServerLink::state_changed);
    link.open(place_of(url));
    QTRY_COMPARE(link.state(), State::ready);
    server.reset();
    QTRY_COMPARE(link.state(), State::failed);
    QVERIFY(link.lost());
    QCOMPARE(text(link.error().what), QString("The connection to %1 is lost").arg(link.place().name()));
    QVERIFY(link.props().isEmpty());
    server = std::make_unique<FakeServer>("blind", url.port());
    QTRY_COMPARE(link.state(), State::ready);
    QCOMPARE(link.props()["vision"], QJsonValue(false));  // what it is now
    QCOMPARE(states.count(), 4);                          // starting, ready, failed, ready: looking again is not told
  }

  void a_refusal_is_not_asked_for_again() {
    FakeServer server;
    ServerLink link;
    link.set_intervals(20, 20);
    link.open(place_of(server.url(), "wrong"));
    QTRY_COMPARE(link.state(), State::failed);
    const int requests = server.last()["requests"].toInt();
    QTest::qWait(400);
    QCOMPARE(server.last()["requests"].toInt(), requests);
  }

  void a_server_that_answers_is_left_in_peace() {
    FakeServer server;
    ServerLink link;
    bool occupied = true;
    link.set_intervals(20, 20);
    link.set_occupied([&] { return occupied; });
    link.open(place_of(server.url()));
    QTRY_COMPARE(link.state(), State::ready);
    const int requests = server.last()["requests"].toInt();
    QTest::qWait(300);
    QCOMPARE(server.last()["requests"].toInt(), requests);
    occupied = false;
    QTRY_VERIFY(server.last()["requests"].toInt() > requests);
  }
};

QTEST_GUILESS_MAIN(ServerTest)
#include "tst_server.moc"
