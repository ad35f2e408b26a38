// lavascope-cli as a user meets it: questions and answers, exit codes, what is kept, signals.
#include <signal.h>

#include <QJsonArray>

#include "app/cli/annotate.h"
#include "tests/support/app/cli_home.h"

using namespace lava::app;

class CliTest : public QObject, lava::app::CliHome {
  Q_OBJECT

 private slots:
  void init() { empty(); }
  void ask_prints_the_answer_and_keeps_it();
  void json_is_one_object();
  void annotate_draws();
  void several_pictures();
  void a_server_of_someone_else();
  void a_server_of_another_kind();
  void the_question_from_standard_input();
  void wrong_use_data();
  void wrong_use();
  void errors_name_what_the_user_gave_data();
  void errors_name_what_the_user_gave();
  void a_crash_keeps_the_turn();
  void ctrl_c_stops_and_keeps_the_part_data();
  void ctrl_c_stops_and_keeps_the_part();
  void no_save_leaves_nothing();
  void a_busy_history_does_not_stop_an_answer();
  void chat_keeps_the_thread();
  void chat_goes_on_after_a_crash();
  void chat_resumes();
  void output_that_goes_nowhere_is_an_error();
};

void CliTest::ask_prints_the_answer_and_keeps_it() {
  const Ran ran = run(ask({"What is this?", chelsea}));
  QCOMPARE(ran.err, QString());  // no progress where there is no terminal
  QCOMPARE(ran.out, answer_text + "\n");
  QCOMPARE(ran.code, 0);
  auto store = history();
  QCOMPARE(store->chats().size(), 1u);
  QCOMPARE(store->chats()[0].title, QString("What is this?"));
  const auto branch = store->branch(store->chats()[0].id);
  QCOMPARE(branch.size(), 2u);
  QCOMPARE(branch[0].attachments.size(), 1u);
  QVERIFY(QFile::exists(home_.filePath("data/lavascope/media/") + branch[0].attachments[0].sha256.left(2) + "/" +
                        branch[0].attachments[0].sha256));
  QCOMPARE(branch[1].text, answer_text);
  QCOMPARE(branch[1].state, MessageState::complete);
  QCOMPARE(branch[1].boxes.size(), 2u);
  QCOMPARE(branch[1].model, QString("fake"));
}

void CliTest::json_is_one_object() {
  const Ran ran = run(ask({"What?", chelsea, "--json", "--max-tokens", "5", "--seed", "1"}));
  QCOMPARE(ran.code, 0);
  QCOMPARE(ran.out.count('\n'), 1);
  const QJsonObject o = QJsonDocument::fromJson(ran.out.toUtf8()).object();
  QCOMPARE(o["text"].toString(), answer_text);
  QCOMPARE(o["boxes"].toArray().size(), 2);
  const QJsonObject cat = o["boxes"].toArray()[0].toObject();
  QCOMPARE(cat["label"].toString(), QString("cat"));
  QCOMPARE(cat["box"].toArray(), (QJsonArray{20.5, 30, 120, 140}));
  QCOMPARE(o["timings"].toObject()["decode_tokens"].toInt(), 8);
}

void CliTest::annotate_draws() {
  const QString out = home_.filePath("annotated.png");
  const Ran ran = run(ask({"What?", chelsea, "--annotate", out}));
  QCOMPARE(ran.code, 0);
  const auto p = lava::media::read_picture(out.toStdString());
  QVERIFY(p);
  QCOMPARE(QSize(p->width, p->height), QSize(300, 300));
  const Colour cat = label_colour("cat").fill;
  const uint8_t* pixel = p->row(60) + 21 * 3;  // on the left line of the cat's box
  QCOMPARE((std::array<int, 3>{pixel[0], pixel[1], pixel[2]}), (std::array<int, 3>{cat[0], cat[1], cat[2]}));
}

void CliTest::several_pictures() {
  const QString out = home_.filePath("two.png");
  const Ran ran = run(ask({"What?", chelsea, coffee, "--annotate", out, "--json"}));
  QCOMPARE(ran.code, 0);
  QCOMPARE(QJsonDocument::fromJson(ran.out.toUtf8()).object()["boxes"].toArray()[0].toObject()["picture"].toInt(), 1);
  QVERIFY(QFile::exists(home_.filePath("two-1.png")));
  QVERIFY(QFile::exists(home_.filePath("two-2.png")));
}

void CliTest::a_server_of_someone_else() {
  FakeServer server;
  QCOMPARE(run({"ask", "--server", server.url().toString(), "hello"}).out, answer_text + "\n");
  const Ran v1 = run({"ask", "--server", server.url().toString() + "/v1", "hello"});
  QCOMPARE(v1.code, 0);
  const Ran nobody = run({"ask", "--server", "http://127.0.0.1:1", "hello"});
  QCOMPARE(nobody.code, 1);
  QVERIFY2(nobody.err.contains("127.0.0.1:1"), qPrintable(nobody.err));
  QCOMPARE(run({"ask", "--server", "nonsense", "hello"}).code, 1);
}

void CliTest::a_server_of_another_kind() {
  FakeServer server("foreign");
  QCOMPARE(run({"ask", "--server", server.url().toString(), "hello"}).out, answer_text + "\n");
  const QJsonObject last = server.last();
  QCOMPARE(last["model"].toString(), QString("someone/llava"));
  QCOMPARE(last["extension"].toBool(true), false);
  auto store = history();
  QCOMPARE(store->branch(store->chats()[0].id)[1].model, QString("someone/llava"));
}

void CliTest::the_question_from_standard_input() {
  QCOMPARE(run(ask({"-"}), "What is this?\n").code, 0);
  QCOMPARE(history()->chats()[0].title, QString("What is this?"));
  QCOMPARE(run(ask({"-"}), " \n").code, 1);
}

void CliTest::wrong_use_data() {
  QTest::addColumn<QStringList>("arguments");
  QTest::newRow("nothing") << QStringList{};
  QTest::newRow("no such command") << QStringList{"paint"};
  QTest::newRow("no question") << QStringList{"ask"};
  QTest::newRow("no such option") << QStringList{"ask", "x", "--colour"};
  QTest::newRow("number") << QStringList{"ask", "x", "--max-tokens", "many"};
  QTest::newRow("negative") << QStringList{"ask", "x", "--max-tokens", "-3"};
  QTest::newRow("server and model") << QStringList{"ask", "x", "--server", "http://a", "--model", "b"};
  QTest::newRow("annotate without a picture") << QStringList{"ask", "x", "--annotate", "a.png"};
  QTest::newRow("annotate as jpeg") << QStringList{"ask", "x", chelsea, "--annotate", "a.jpg"};
  QTest::newRow("detect what") << QStringList{"detect"};
  QTest::newRow("detect two") << QStringList{"detect", chelsea, coffee};
  QTest::newRow("detect threshold") << QStringList{"detect", chelsea, "--threshold", "1.5"};
  QTest::newRow("detect nan") << QStringList{"detect", chelsea, "--threshold", "nan"};
  QTest::newRow("detect none") << QStringList{"detect", chelsea, "--max", "0"};
  QTest::newRow("detect colour") << QStringList{"detect", chelsea, "--colour"};
  QTest::newRow("detect as jpeg") << QStringList{"detect", chelsea, "--annotate", "a.jpg"};
  QTest::newRow("show what") << QStringList{"history", "show"};
  QTest::newRow("no number") << ask({"x", "--temperature", "nan"});
  QTest::newRow("no device") << ask({"x", "--device", "gpu"});
  QTest::newRow("device without its number") << ask({"x", "--device", "cuda:"});
  QTest::newRow("server and device") << QStringList{"ask", "x", "--server", "http://a", "--device", "cpu"};
  QTest::newRow("show zero") << QStringList{"history", "show", "0"};
  QTest::newRow("format") << QStringList{"history", "export", "1", "--format", "pdf"};
}

void CliTest::wrong_use() {
  QFETCH(QStringList, arguments);
  const Ran ran = run(arguments);
  QCOMPARE(ran.code, 2);
  QVERIFY(!ran.err.isEmpty());
}

void CliTest::errors_name_what_the_user_gave_data() {
  QTest::addColumn<QStringList>("arguments");
  QTest::addColumn<QString>("fake");
  QTest::addColumn<QString>("named");
  QTest::newRow("missing picture") << ask({"x", "/no/holiday.png"}) << ""
                                   << "/no/holiday.png";
  QTest::newRow("no picture") << ask({"x", LAVA_SOURCE_DIR "/docs/api.md"}) << ""
                              << "api.md";
  QTest::newRow("a folder") << ask({"x", LAVA_SOURCE_DIR "/docs"}) << ""
                            << "docs";
  QTest::newRow("missing model") << ask({"x", "--model", "/no/model.gguf"}) << ""
                                 << "/no/model.gguf";
  QTest::newRow("missing engine") << QStringList{"ask", "x", "--engine", "/no/engine"} << ""
                                  << "/no/engine";
  QTest::newRow("folder of the picture") << ask({"x", chelsea, "--annotate", "/no/folder/a.png"}) << ""
                                         << "/no/folder";
  QTest::newRow("engine that crashes") << ask({"x"}) << "crash_start"
                                       << "made of cheese";
  QTest::newRow("model that does not load") << ask({"x"}) << "load_error"
                                            << "The model file ends early";
  QTest::newRow("answer that fails") << ask({"fails"}) << ""
                                     << "12 GB wanted";
  QTest::newRow("picture that the engine refuses") << ask({"undecodable", chelsea}) << "" << chelsea;
  QTest::newRow("no question") << ask({" "}) << "" << "There is no question";
  QTest::newRow("region in words") << ask({"x", chelsea, "--region", "10,20,left,40"}) << "" << "10,20,left,40";
  QTest::newRow("region of three") << ask({"x", chelsea, "--region", "10,20,30"}) << "" << "10,20,30";
  QTest::newRow("region turned round") << ask({"x", chelsea, "--region", "30,20,10,40"}) << "" << "30,20,10,40";
  QTest::newRow("region without a picture") << ask({"x", "--region", "10,20,30,40"}) << "" << "there are 0";
  QTest::newRow("region of two pictures") << ask({"x", chelsea, coffee, "--region", "10,20,30,40"}) << "" << "there are 2";
  QTest::newRow("picture onto a folder") << ask({"x", chelsea, "--annotate", home_.filePath("folder.png")}) << "" << "folder.png is a folder";
  QTest::newRow("detect in nothing") << QStringList{"detect", "/no/holiday.png"} << "" << "/no/holiday.png";
  QTest::newRow("detect in a text") << QStringList{"detect", LAVA_SOURCE_DIR "/docs/api.md"} << "" << "api.md";
  QTest::newRow("detect in a folder") << QStringList{"detect", LAVA_SOURCE_DIR "/docs"} << "" << "docs";
  QTest::newRow("detect in half a picture") << QStringList{"detect", home_.filePath("half.png")} << "" << "half.png";
  QTest::newRow("detect into nowhere") << QStringList{"detect", chelsea, "--annotate", "/no/folder/a.png"} << "" << "/no/folder";
  QTest::newRow("chat that is not there") << QStringList{"history", "show", "77"} << ""
                                          << "77";
  QTest::newRow("export into nowhere") << QStringList{"history", "export", "77", "-o", "/no/x.md"} << ""
                                       << "77";
}

void CliTest::errors_name_what_the_user_gave() {
  QDir(home_.path()).mkdir("folder.png");
  QFile whole(chelsea), half(home_.filePath("half.png"));
  QVERIFY(whole.open(QFile::ReadOnly) && half.open(QFile::WriteOnly));
  half.write(whole.read(whole.size() / 2));
  half.close();
  QFETCH(QStringList, arguments);
  QFETCH(QString, fake);
  QFETCH(QString, named);
  const Ran ran = run(arguments, {}, fake);
  QCOMPARE(ran.code, 1);
  QVERIFY2(ran.err.contains(named), qPrintable(ran.err));
  QVERIFY2(ran.err.startsWith("lavascope-cli: ") && ran.err.endsWith(".\n"), qPrintable(ran.err));
  QVERIFY2(!ran.err.contains("/v1/") && !ran.err.contains("messages["), qPrintable(ran.err));
}

void CliTest::a_crash_keeps_the_turn() {
  const Ran ran = run(ask({"crash"}));
  QCOMPARE(ran.code, 1);
  QCOMPARE(ran.out, QString("Half an\n"));
  QVERIFY2(ran.err.contains("out of luck"), qPrintable(ran.err));
  auto store = history();
  const auto branch = store->branch(store->chats()[0].id);
  QCOMPARE(branch[1].state, MessageState::failed);
  QCOMPARE(branch[1].text, QString("Half an"));
  QVERIFY(branch[1].error["cause"].toString().contains("out of luck"));
}

void CliTest::ctrl_c_stops_and_keeps_the_part_data() {
  QTest::addColumn<int>("number");
  QTest::newRow("Ctrl-C") << SIGINT;
  QTest::newRow("SIGTERM") << SIGTERM;
}

void CliTest::ctrl_c_stops_and_keeps_the_part() {
  QFETCH(int, number);
  QProcess process;
  start(process, ask({"slow"}));
  QVERIFY(process.waitForReadyRead(10000));
  QTest::qSleep(300);
  ::kill(static_cast<pid_t>(process.processId()), number);
  QVERIFY(process.waitForFinished(5000));
  QCOMPARE(process.exitStatus(), QProcess::NormalExit);
  QCOMPARE(process.exitCode(), 1);
  auto store = history();
  const auto branch = store->branch(store->chats()[0].id);
  QCOMPARE(branch[1].state, MessageState::stopped);
  QVERIFY(branch[1].text.startsWith("word word"));
}

void CliTest::no_save_leaves_nothing() {
  QCOMPARE(run(ask({"hello", chelsea, "--no-save"})).code, 0);
  QVERIFY(!QFile::exists(home_.filePath("data")));
}

void CliTest::a_busy_history_does_not_stop_an_answer() {
  auto other = history();
  const Ran ran = run(ask({"hello"}));
  QCOMPARE(ran.code, 0);
  QCOMPARE(ran.out, answer_text + "\n");
  QVERIFY2(ran.err.contains("not being saved"), qPrintable(ran.err));
}

void CliTest::chat_keeps_the_thread() {
  FakeServer server;
  const QByteArray input =
      "first\n/picture '" + chelsea.toUtf8() + "'\nsecond\n\n/picture /no/x.png\n/dance\n/new\nthird\n/quit\nnever asked\n";
  const Ran ran = run({"chat", "--server", server.url().toString()}, input);
  QCOMPARE(ran.code, 0);
  QCOMPARE(ran.out, (answer_text + "\n").repeated(3));
  QVERIFY2(ran.err.contains("/no/x.png") && ran.err.contains("/dance") && ran.err.contains("300"), qPrintable(ran.err));
  auto store = history();
  QCOMPARE(store->chats().size(), 2u);
  QCOMPARE(store->chats()[0].title, QString("third"));
  const auto branch = store->branch(store->chats()[1].id);
  QCOMPARE(branch.size(), 4u);
  QCOMPARE(branch[2].attachments.size(), 1u);
}

void CliTest::chat_goes_on_after_a_crash() {
  const Ran ran = run({"chat", "--engine", FakeServer::program()}, "crash\nhello\n");
  QCOMPARE(ran.code, 0);
  QCOMPARE(ran.out, "Half an\n" + answer_text + "\n");
  QVERIFY2(ran.err.contains("out of luck"), qPrintable(ran.err));
}

void CliTest::chat_resumes() {
  QCOMPARE(run(ask({"What is this?", chelsea})).code, 0);
  const qint64 id = history()->chats()[0].id;
  const Ran ran = run({"chat", "--engine", FakeServer::program(), "--resume", QString::number(id)}, "and now?\n");
  QCOMPARE(ran.code, 0);
  QCOMPARE(ran.out, "> What is this?\n" + answer_text + "\n" + answer_text + "\n");
  QCOMPARE(history()->branch(id).size(), 4u);
  QCOMPARE(run({"chat", "--engine", FakeServer::program(), "--resume", "99"}).code, 1);
}

void CliTest::output_that_goes_nowhere_is_an_error() {
  QProcess process;
  process.setStandardOutputFile("/dev/full");
  start(process, ask({"What is this?"}));
  QVERIFY(process.waitForFinished(30000));
  QCOMPARE(process.exitCode(), 1);
  QVERIFY(process.readAllStandardError().contains("standard output"));
  QCOMPARE(history()->chats().size(), 1u);  // kept all the same
}

QTEST_GUILESS_MAIN(CliTest)
#include "tst_cli.moc"
