// Questions and preparations over the wire: pieces, errors, lost connections, cancelling; and the parser of event streams by itself.
#include <QDir>
#include <QElapsedTimer>
#include <QProcess>
#include <QSignalSpy>
#include <QtTest>
#include <unistd.h>

#include "app/engine/answer_stream.h"
#include "app/engine/http_call.h"
#include "app/engine/preparation.h"
#include "app/engine/sse_parser.h"
#include "tests/support/app/fake_server.h"

using namespace lava::app;

namespace {

struct Heard {
  QString text;
  QStringList phases;
  std::optional<AnswerDone> done;
  std::optional<lava::Error> error;
  int cancelled = 0;
  bool over() const { return done || error || cancelled; }
};

std::unique_ptr<Question> ask(const QUrl& url, const QString& question, Heard& heard, const QString& token = FakeServer::token(),
                              int pictures = 1) {
  TurnContent turn;
  turn.text = question;
  for (int i = 0; i < pictures; ++i) {
    turn.pictures.push_back("\x89PNG not really");
    turn.picture_types.push_back("image/png");
  }
  auto q = std::make_unique<Question>(url, token, std::vector{turn}, AskOptions{});
  QObject::connect(q.get(), &Question::text, q.get(), [&](const QString& delta) { heard.text += delta; });
  QObject::connect(q.get(), &Question::progress, q.get(),
                   [&](const QString& phase, int done, int total) { heard.phases << QString("%1 %2/%3").arg(phase).arg(done).arg(total); });
  QObject::connect(q.get(), &Question::done, q.get(), [&](const AnswerDone& answer) { heard.done = answer; });
  QObject::connect(q.get(), &Question::failed, q.get(), [&](const lava::Error& error) { heard.error = error; });
  QObject::connect(q.get(), &Question::cancelled, q.get(), [&] { ++heard.cancelled; });
  return q;
}

Heard ask_and_wait(const QUrl& url, const QString& question, const QString& token = FakeServer::token()) {
  Heard heard;
  auto q = ask(url, question, heard, token);
  [&] { QTRY_VERIFY_WITH_TIMEOUT(heard.over(), 15000); }();
  return heard;
}

QByteArrayList events_of(const QByteArray& stream, qsizetype piece) {
  QByteArrayList events;
  SseParser parser([&](const QByteArray& data) { events << data; });
  for (qsizetype i = 0; i < stream.size(); i += piece) parser.feed(QByteArrayView(stream).sliced(i, std::min(piece, stream.size() - i)));
  return events;
}

}  // namespace

class EngineClientTest : public QObject {
  Q_OBJECT
 private slots:
  void parser_data();
  void parser();
  void parser_has_a_limit();
  void offsets_become_utf16();
  void boxes_are_checked();
  void split_surrogates_arrive_whole();
  void an_answer_arrives();
  void an_answer_in_pieces_of_three_bytes_with_cr_lf();
  void the_request_carries_pictures_and_options();
  void failures_data();
  void failures();
  void invalid_utf8_is_replaced();
  void a_wrong_token_is_told();
  void nobody_listens();
  void cancel_closes_the_connection();
  void a_program_started_meanwhile_does_not_hold_the_connection();
  void deleting_cancels();
  void many_at_once();
  void a_preparation_carries_the_conversation();
  void preparations_that_fail_data();
  void preparations_that_fail();
  void deleting_a_preparation_cancels_it();
};

void EngineClientTest::parser_data() {
  QTest::addColumn<QByteArray>("stream");
  QTest::addColumn<QByteArrayList>("events");
  QTest::newRow("one") << QByteArray("data: a\n\n") << QByteArrayList{"a"};
  QTest::newRow("no space") << QByteArray("data:a\n\ndata:  b\n\n") << QByteArrayList{"a", " b"};
  QTest::newRow("crlf") << QByteArray("data: a\r\n\r\ndata: b\r\n\r\n") << QByteArrayList{"a", "b"};
  QTest::newRow("cr") << QByteArray("data: a\r\rdata: b\r\r") << QByteArrayList{"a", "b"};
  QTest::newRow("many lines") << QByteArray("data: a\ndata: b\ndata\n\n") << QByteArrayList{"a\nb\n"};
  QTest::newRow("comments and other fields") << QByteArray(": hi\n\nevent: x\nid: 7\ndata: a\nretry: 5\nnonsense\n\n")
                                             << QByteArrayList{"a"};
  QTest::newRow("not data") << QByteArray("database: a\n\n") << QByteArrayList{};
  QTest::newRow("mark at the start") << QByteArray(
                                            "\xEF\xBB\xBF"
                                            "data: a\n\n")
                                     << QByteArrayList{"a"};
  QTest::newRow("unfinished") << QByteArray("data: a\n\ndata: b\n") << QByteArrayList{"a"};
  QTest::newRow("empty events") << QByteArray("\n\n\n\ndata\n\n") << QByteArrayList{""};
}

void EngineClientTest::parser() {
  QFETCH(QByteArray, stream);
  QFETCH(QByteArrayList, events);
  for (qsizetype piece = 1; piece <= stream.size(); ++piece) QCOMPARE(events_of(stream, piece), events);
}

void EngineClientTest::parser_has_a_limit() {
  SseParser line([](const QByteArray&) {});
  bool fine = line.feed("data: ");
  const QByteArray megabyte(1 << 20, 'x');
  int fed = 0;
  while (fine && fed < 100) fine = line.feed(megabyte), ++fed;
  QVERIFY(!fine);
  QVERIFY(fed <= 17);
  SseParser lines([](const QByteArray&) {});
  fine = true;
  for (fed = 0; fine && fed < 100; ++fed) fine = lines.feed("data: " + megabyte + "\n");
  QVERIFY(!fine);
}

void EngineClientTest::offsets_become_utf16() {
  const QByteArray utf8 = "a\xC3\xA4\xF0\x9F\x90\x88z";  // a, a umlaut (2 bytes), cat (4 bytes, 2 units), z
  const std::array<std::pair<double, int>, 8> cases{{{0, 0}, {1, 1}, {3, 2}, {7, 4}, {8, 5}, {99, 5}, {-1, 0}, {NAN, 0}}};
  for (const auto& [byte, unit] : cases) QCOMPARE(utf16_offset(utf8, byte), unit);
}

void EngineClientTest::boxes_are_checked() {
  const auto boxes = read_boxes(QJsonDocument::fromJson(R"([{"label":"ok","box":[1,2,3,4],"start":1,"end":0},{"box":[1,2,3]},{"box":"x"},
      {"box":[1,2,3,"4"]},7,null,{"label":"far","box":[1,2,3,4],"start":1e300,"end":-5,"picture":-3}])")
                                    .array(),
                                "abc");
  QCOMPARE(boxes.size(), 2u);
  QCOMPARE(boxes[0].start, 1);
  QCOMPARE(boxes[0].end, 1);
  QCOMPARE(boxes[1].start, 3);
  QCOMPARE(boxes[1].end, 3);
  QCOMPARE(boxes[1].picture, 0);
}

void EngineClientTest::split_surrogates_arrive_whole() {
  QStringList deltas;
  AnswerStream stream({[](const QString&, int, int) {}, [&](const QString& delta) { deltas << delta; }});
  stream.feed(
      "data: {\"choices\":[{\"delta\":{\"content\":\"a\\ud83d\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\\udc08b\"}}]}\n\ndata: [DONE]\n\n");
  QCOMPARE(deltas, (QStringList{"a", QString::fromUtf8("🐈b")}));
  QCOMPARE(stream.result()->text, QString::fromUtf8("a🐈b"));
}

void EngineClientTest::an_answer_arrives() {
  FakeServer server;
  const Heard heard = ask_and_wait(server.url(), "What is it?");
  QVERIFY(heard.done);
  QCOMPARE(heard.text, QString::fromUtf8("🐈 A cat sits on a mat."));
  QCOMPARE(heard.done->text, heard.text);
  QCOMPARE(heard.done->finish_reason, QString("stop"));
  QCOMPARE(heard.done->boxes.size(), 2u);
  const GroundedBox& cat = heard.done->boxes[0];
  QCOMPARE(heard.text.mid(cat.start, cat.end - cat.start), QString("cat"));
  QCOMPARE(cat.x1, 20.5);
  QCOMPARE(cat.picture, 0);
  QCOMPARE(heard.done->timings["tokens_per_s"].toDouble(), 40.0);
  QCOMPARE(heard.phases, (QStringList{"queued 0/1", "picture 1/1", "prompt 40/40"}));
}

void EngineClientTest::an_answer_in_pieces_of_three_bytes_with_cr_lf() {
  FakeServer server;
  const Heard heard = ask_and_wait(server.url(), "pieces");
  QVERIFY(heard.done);
  QCOMPARE(heard.text, QString::fromUtf8("🐈 A cat sits on a mat."));
  QCOMPARE(heard.done->boxes.size(), 2u);
}

void EngineClientTest::the_request_carries_pictures_and_options() {
  FakeServer server;
  TurnContent first{Role::user, "one", {QByteArray(3 << 20, 'p'), "q"}, {"image/png", "image/jpeg"}}, second{Role::assistant, "two"},
      third{Role::user, "three"};
  first.regions = {QRectF(QPointF(1, 2), QPointF(30.5, 40))};
  Question q(QUrl(server.url().toString() + "/v1/"), FakeServer::token(), {first, second, third}, AskOptions{77, 0.5, 9});
  QSignalSpy done(&q, &Question::done);
  QVERIFY(done.wait());
  const QJsonObject last = server.last();
  QCOMPARE(last["turns"].toInt(), 3);
  QCOMPARE(last["pictures"].toInt(), 2);
  QVERIFY(last["regions"].toArray()[0].toArray().isEmpty());
  QCOMPARE(last["regions"].toArray()[1].toArray()[0].toArray(), (QJsonArray{1, 2, 30.5, 40}));  // of the last picture
  QCOMPARE(last["max_tokens"].toInt(), 77);
  QCOMPARE(last["stream"].toBool(), true);
  QCOMPARE(last["question"].toString(), QString("three"));
}

void EngineClientTest::failures_data() {
  QTest::addColumn<QString>("what");
  QTest::addColumn<QString>("cause");
  QTest::addColumn<QString>("text");
  QTest::newRow("crash") << "The engine stopped in the middle of the answer"
                         << ""
                         << "Half an";
  QTest::newRow("cut") << "The engine stopped in the middle of the answer"
                       << "the connection ended early"
                       << "Half an";
  QTest::newRow("broken") << "The engine sent an answer that cannot be read"
                          << "an event is not JSON"
                          << "";
  QTest::newRow("fails") << "The memory is full"
                         << "12 GB wanted"
                         << "Half an";
  QTest::newRow("huge") << "The engine sent an answer that cannot be read"
                        << "one event is larger than 16 MB"
                        << "";
  QTest::newRow("undecodable") << "The picture cannot be read"
                               << "picture 1, it is not a PNG"
                               << "";
}

void EngineClientTest::failures() {
  QFETCH(QString, what);
  QFETCH(QString, cause);
  QFETCH(QString, text);
  FakeServer server;
  const Heard heard = ask_and_wait(server.url(), QTest::currentDataTag());
  QVERIFY(heard.error);
  QVERIFY(!heard.done);
  QCOMPARE(QString::fromStdString(heard.error->what), what);
  if (!cause.isEmpty()) QCOMPARE(QString::fromStdString(heard.error->cause), cause);
  QVERIFY(!heard.error->remedy.empty());
  QCOMPARE(heard.text, text);
}

void EngineClientTest::invalid_utf8_is_replaced() {
  FakeServer server;
  const Heard heard = ask_and_wait(server.url(), "illegal");
  QVERIFY(heard.done);
  QCOMPARE(heard.text, QString("a") + QChar(0xFFFD) + " z");
}

void EngineClientTest::a_wrong_token_is_told() {
  FakeServer server;
  const Heard heard = ask_and_wait(server.url(), "x", "wrong");
  QVERIFY(heard.error);
  QVERIFY(QString::fromStdString(heard.error->message()).contains("token"));
}

void EngineClientTest::nobody_listens() {
  const Heard heard = ask_and_wait(QUrl("http://127.0.0.1:1"), "x");
  QVERIFY(heard.error);
  QCOMPARE(QString::fromStdString(heard.error->what), QString("The engine cannot be reached"));
}

void EngineClientTest::cancel_closes_the_connection() {
  FakeServer server;
  Heard heard;
  auto q = ask(server.url(), "slow", heard);
  QTRY_VERIFY(heard.text.size() > 20);
  q->cancel();
  q->cancel();
  const QString text = heard.text;
  QTRY_COMPARE(heard.cancelled, 1);
  QTRY_VERIFY_WITH_TIMEOUT(server.last()["cancelled"].toBool(), 2000);
  QCOMPARE(heard.text, text);  // nothing after the cancel
  QCOMPARE(heard.cancelled, 1);
  QVERIFY(!heard.done && !heard.error);
}

// A connection that a child has inherited stays open when it is closed here, and the server goes on answering.
void EngineClientTest::a_program_started_meanwhile_does_not_hold_the_connection() {
#ifndef Q_OS_LINUX
  QSKIP("What a program has open is told by Linux only");
#endif
  FakeServer server;
  Heard heard;
  auto q = ask(server.url(), "slow", heard);
  QTRY_VERIFY(!heard.text.isEmpty());
  QProcess child;
  child.start("sleep", {"30"});
  QVERIFY(child.waitForStarted());
  const QDir open(QString("/proc/%1/fd").arg(child.processId()));
  QFile connections("/proc/net/tcp");
  QVERIFY(connections.open(QIODevice::ReadOnly));
  const QByteArray known = connections.readAll();
  int held = 0;
  for (const QString& name : open.entryList(QDir::System | QDir::AllEntries | QDir::NoDotAndDotDot)) {
    char target[256] = {};
    if (::readlink(QFile::encodeName(open.filePath(name)), target, sizeof target - 1) <= 0) continue;
    const QByteArray link(target);  // "socket:[4711]"
    if (link.startsWith("socket:[") && known.contains(" " + link.sliced(8, link.size() - 9) + " ")) ++held;
  }
  child.kill();
  child.waitForFinished();
  QCOMPARE(held, 0);
}

void EngineClientTest::deleting_cancels() {
  FakeServer server;
  Heard heard;
  auto q = ask(server.url(), "slow", heard);
  QTRY_VERIFY(!heard.text.isEmpty());
  QElapsedTimer timer;
  timer.start();
  q.reset();
  QVERIFY(timer.elapsed() < 500);
  QTRY_VERIFY_WITH_TIMEOUT(server.last()["cancelled"].toBool(), 2000);
  QVERIFY(!heard.over());
}

void EngineClientTest::many_at_once() {
  FakeServer server;
  std::array<Heard, 4> heard;
  std::vector<std::unique_ptr<Question>> questions;
  for (Heard& h : heard) questions.push_back(ask(server.url(), "pieces", h));
  for (Heard& h : heard) QTRY_VERIFY_WITH_TIMEOUT(h.done.has_value(), 10000);
  for (Heard& h : heard) QCOMPARE(h.done->boxes.size(), 2u);
}

void EngineClientTest::a_preparation_carries_the_conversation() {
  FakeServer server;
  const TurnContent first{Role::user, "one", {"p"}, {"image/png"}}, second{Role::assistant, "two"}, third{Role::user, "", {"q", "r"}, {"image/png", "image/png"}};
  Preparation preparation(QUrl(server.url().toString() + "/v1"), FakeServer::token(), {first, second, third});
  QSignalSpy done(&preparation, &Preparation::done), failed(&preparation, &Preparation::failed);
  QVERIFY(done.wait());
  QCOMPARE(failed.count(), 0);
  QCOMPARE(done[0][0].toJsonObject()["timings"].toObject()["prompt_tokens"].toInt(), 40);
  const QJsonObject last = server.last();
  QCOMPARE(last["path"].toString(), QString("/v1/lavascope/prepare"));
  QCOMPARE(last["turns"].toInt(), 3);
  QCOMPARE(last["pictures"].toInt(), 3);
  QCOMPARE(last["question"].toString(), QString());
}

void EngineClientTest::preparations_that_fail_data() {
  QTest::addColumn<QString>("words");
  QTest::addColumn<QString>("token");
  QTest::addColumn<bool>("served");
  QTest::newRow("undecodable") << "undecodable" << FakeServer::token() << true;
  QTest::newRow("no JSON") << "broken" << FakeServer::token() << true;
  QTest::newRow("wrong token") << "" << "wrong" << true;
  QTest::newRow("nobody listens") << "" << FakeServer::token() << false;
}

void EngineClientTest::preparations_that_fail() {
  QFETCH(QString, words);
  QFETCH(QString, token);
  QFETCH(bool, served);
  FakeServer server;
  Preparation preparation(served ? server.url() : QUrl("http://127.0.0.1:1"), token, {TurnContent{Role::user, words, {"p"}, {"image/png"}}});
  QSignalSpy done(&preparation, &Preparation::done), failed(&preparation, &Preparation::failed);
  QVERIFY(failed.wait());
  QCOMPARE(done.count(), 0);
  QVERIFY(!failed[0][0].value<lava::Error>().what.empty());
}

void EngineClientTest::deleting_a_preparation_cancels_it() {
  FakeServer server;
  auto preparation = std::make_unique<Preparation>(server.url(), FakeServer::token(), std::vector{TurnContent{Role::user, "slow", {"p"}, {"image/png"}}});
  QTRY_COMPARE(server.last()["question"].toString(), QString("slow"));
  QElapsedTimer timer;
  timer.start();
  preparation.reset();
  QVERIFY(timer.elapsed() < 500);
  QTRY_VERIFY_WITH_TIMEOUT(server.last()["cancelled"].toBool(), 2000);
}

QTEST_GUILESS_MAIN(EngineClientTest)
#include "tst_engine_client.moc"
