// lavascope-cli in a home of its own, against the fake engine.
#pragma once
#include <QTemporaryDir>
#include <QtTest>

#include "app/history/history_store.h"
#include "tests/support/app/fake_server.h"

namespace lava::app {

struct Ran {
  int code = -1;
  QString out, err;
};

class CliHome {
 protected:
  const QString chelsea = LAVA_SOURCE_DIR "/tests/fixtures/default/chelsea.png";
  const QString coffee = LAVA_SOURCE_DIR "/tests/fixtures/default/coffee.png";
  const QString answer_text = QString::fromUtf8("🐈 A cat sits on a mat.");  // of the fake engine
  QTemporaryDir home_{QDir::tempPath() + "/lava-hömé-XXXXXX"};

  void start(QProcess& process, const QStringList& arguments, const QString& fake = {}) {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("XDG_DATA_HOME", home_.filePath("data"));
    environment.remove("LAVASCOPE_MODELS");
    environment.insert("XDG_CONFIG_HOME", home_.filePath("config"));
    environment.insert("XDG_CACHE_HOME", home_.filePath("cache"));
    environment.insert("XDG_STATE_HOME", home_.filePath("state"));
    environment.insert("LAVA_FAKE", fake);
    environment.insert("LAVASCOPE_TOKEN", FakeServer::token() + "\n");
    process.setProcessEnvironment(environment);
    process.start(QCoreApplication::applicationDirPath() + "/lavascope-cli", arguments);
  }
  Ran run(const QStringList& arguments, const QByteArray& input = {}, const QString& fake = {}) {
    QProcess process;
    start(process, arguments, fake);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(30000) || process.exitStatus() != QProcess::NormalExit) return {};
    return {process.exitCode(), QString::fromUtf8(process.readAllStandardOutput()), QString::fromUtf8(process.readAllStandardError())};
  }
  static QStringList ask(const QStringList& rest) { return QStringList{"ask", "--engine", FakeServer::program()} + rest; }
  std::unique_ptr<HistoryStore> history() { return std::move(*HistoryStore::open(home_.filePath("data/lavascope"))); }
  void empty() { QDir(home_.filePath("data")).removeRecursively(); }
};

}  // namespace lava::app
