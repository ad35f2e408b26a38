// The commands of lavascope-cli beside questions: detect, devices, models, history.
#include <QJsonArray>
#include <QJsonObject>

#include "app/cli/annotate.h"
#include "tests/support/app/cli_home.h"

using namespace lava::app;

class CliCommandsTest : public QObject, lava::app::CliHome {
  Q_OBJECT

 private slots:
  void init() { empty(); }
  void detect_lists_draws_and_speaks_json();
  void detect_finds_nothing();
  void devices_lists();
  void a_device_that_is_none_is_refused();
  void models_lists();
  void history_commands();
  void a_damaged_history_is_told();
};

void CliCommandsTest::detect_lists_draws_and_speaks_json() {
  const QString out = home_.filePath("fünd.png");
  const Ran text = run({"detect", chelsea, "--annotate", out});
  QCOMPARE(text.err, QString());
  QCOMPARE(text.code, 0);
  QVERIFY2(QRegularExpression("\\Acat  9[78] %  \\[0, 5\\d, 26\\d, 25\\d\\]\n\\z").match(text.out).hasMatch(), qPrintable(text.out));
  const auto p = lava::media::read_picture(out.toStdString());
  QVERIFY(p);
  QCOMPARE(QSize(p->width, p->height), QSize(300, 300));
  const Colour cat = label_colour("cat").fill;
  const uint8_t* pixel = p->row(120);  // the box begins at the left border
  QCOMPARE((std::array<int, 3>{pixel[0], pixel[1], pixel[2]}), (std::array<int, 3>{cat[0], cat[1], cat[2]}));

  const Ran json = run({"detect", chelsea, "--json", "--threshold", "0.02", "--max", "2"});
  QCOMPARE(json.code, 0);
  QCOMPARE(json.out.count('\n'), 1);
  const QJsonObject o = QJsonDocument::fromJson(json.out.toUtf8()).object();
  QCOMPARE(o["width"].toInt(), 300);
  QCOMPARE(o["height"].toInt(), 300);
  QCOMPARE(o["objects"].toArray().size(), 2);
  const QJsonObject first = o["objects"].toArray()[0].toObject();
  QCOMPARE(first["label"].toString(), QString("cat"));
  QCOMPARE(first["box"].toArray().size(), 4);
  QVERIFY(first["score"].toDouble() > 0.95 && first["score"].toDouble() < 1);
  QVERIFY(!QFile::exists(home_.filePath("data")));  // nothing is kept
}

void CliCommandsTest::detect_finds_nothing() {
  const QString file = home_.filePath("grey.png");
  QVERIFY(lava::media::write_png(file.toStdString(), lava::media::blank_picture({1, 1}, 128, 128, 128)));
  const Ran text = run({"detect", file});
  QCOMPARE(text.code, 0);
  QCOMPARE(text.out, QString("Nothing found.\n"));
  const Ran json = run({"detect", file, "--json"});
  QCOMPARE(json.out, QString("{\"width\":1,\"height\":1,\"objects\":[]}\n"));
}

void CliCommandsTest::devices_lists() {
  const Ran text = run({"devices"});
  QCOMPARE(text.code, 0);
  QVERIFY2(text.out.contains("\ncpu ") || text.out.startsWith("cpu "), qPrintable(text.out));
  const QJsonArray devices = QJsonDocument::fromJson(run({"devices", "--json"}).out.toUtf8()).object()["devices"].toArray();
  QCOMPARE(devices.last().toObject()["choice"].toString(), QString("cpu"));
  const Ran missing = run({"devices", "--engine", "/no/engine"});
  QCOMPARE(missing.code, 1);
  QVERIFY2(missing.err.contains("/no/engine"), qPrintable(missing.err));
}

void CliCommandsTest::a_device_that_is_none_is_refused() {
  const Ran word = run(ask({"x", "--device", "gpu"}));
  QVERIFY2(word.err.contains("This is no device: gpu. Choose auto, cpu, cuda, vulkan"), qPrintable(word.err));
  const Ran absent = run(ask({"x", "--device", "vulkan:7"}), {}, "only_cpu");
  QCOMPARE(absent.code, 1);
  QVERIFY2(absent.err.contains("There is no such device: vulkan. Choose another device."), qPrintable(absent.err));
  QCOMPARE(run(ask({"x", "--device", "cpu"}), {}, "only_cpu").out, answer_text + "\n");
}

void CliCommandsTest::models_lists() {
  const QString folder = home_.filePath("data/lavascope/models/broken");
  QVERIFY(QDir().mkpath(folder));
  for (const char* name : {"/model.gguf", "/mmproj-model.gguf"}) {
    QFile file(folder + name);
    QVERIFY(file.open(QFile::WriteOnly));
    file.write("GGUF but not really");
  }
  const Ran text = run({"models"});
  QCOMPARE(text.code, 0);
  QVERIFY2(text.out.startsWith("default"), qPrintable(text.out));
  QVERIFY2(text.out.contains("cannot be used"), qPrintable(text.out));
  const QJsonArray models = QJsonDocument::fromJson(run({"models", "--json"}).out.toUtf8()).array();
  QCOMPARE(models.size(), 2);
  QCOMPARE(models[0].toObject()["name"].toString(), QString("default"));
  QCOMPARE(models[1].toObject()["path"].toString(), folder + "/model.gguf");
  QVERIFY(!models[1].toObject()["problem"].toString().isEmpty());
}

void CliCommandsTest::a_damaged_history_is_told() {
  QDir().mkpath(home_.filePath("data/lavascope"));
  QFile file(home_.filePath("data/lavascope/history.sqlite"));
  QVERIFY(file.open(QFile::WriteOnly));
  file.write(QByteArray(8192, 'x'));
  file.close();
  QVERIFY(run({"history", "list"}).err.contains("damaged"));
}

void CliCommandsTest::history_commands() {
  QCOMPARE(run({"history"}).code, 0);
  QCOMPARE(run(ask({"Where is the mat?", chelsea})).code, 0);
  const QString id = QString::number(history()->chats()[0].id);
  QVERIFY(run({"history"}).out.contains("Where is the mat?"));
  QCOMPARE(QJsonDocument::fromJson(run({"history", "list", "--json"}).out.toUtf8()).array().size(), 1);
  QVERIFY(run({"history", "search", "sits", "ma"}).out.contains("Where is the mat?"));
  QVERIFY(run({"history", "search", "elephant"}).err.contains("Nothing found"));
  QVERIFY(run({"history", "show", id}).out.contains(answer_text));
  const QString file = home_.filePath("export.md");
  QCOMPARE(run({"history", "export", id, "-o", file}).code, 0);
  QFile markdown(file);
  QVERIFY(markdown.open(QFile::ReadOnly));
  const QString text = QString::fromUtf8(markdown.readAll());
  QVERIFY2(text.startsWith("# Where is the mat?") && text.contains("chelsea.png") && text.contains("| cat | 1 | 21 | 30 | 120 | 140 |"),
           qPrintable(text));
  const QJsonObject json = QJsonDocument::fromJson(run({"history", "export", id, "--format", "json"}).out.toUtf8()).object();
  QCOMPARE(json["messages"].toArray().size(), 2);
  QCOMPARE(json["messages"].toArray()[1].toObject()["boxes"].toArray().size(), 2);
  const Ran removed = run({"history", "delete", id});
  QCOMPARE(removed.code, 0);
  QVERIFY(removed.err.contains("restore " + id));
  QCOMPARE(run({"history", "delete", id}).code, 1);
  QVERIFY(!run({"history"}).out.contains("mat"));
  QVERIFY(run({"history", "bin"}).out.contains("mat"));
  QCOMPARE(run({"history", "restore", id}).code, 0);
  QVERIFY(run({"history"}).out.contains("mat"));
}

QTEST_GUILESS_MAIN(CliCommandsTest)
#include "tst_cli_commands.moc"
