// Starts the fake engine as a plain server for tests of what talks to one.
#pragma once
#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QUrl>

class FakeServer {
 public:
  explicit FakeServer(const QString& fake = {}) {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("LAVA_FAKE", fake);
    environment.insert("LAVASCOPE_TOKEN", token());
    process_.setProcessEnvironment(environment);
    process_.start(program(), {"serve"});
    if (process_.waitForReadyRead(10000)) url_ = QUrl(QJsonDocument::fromJson(process_.readLine()).object()["listening"].toString());
  }
  ~FakeServer() {
    process_.kill();
    process_.waitForFinished();
  }
  static QString program() { return QCoreApplication::applicationDirPath() + "/fake_engine"; }
  static QString token() { return "fake-token"; }
  QUrl url() const { return url_; }
  QProcess& process() { return process_; }

 private:
  QProcess process_;
  QUrl url_;
};
