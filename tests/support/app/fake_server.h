// Starts the fake engine as a plain server for tests of what talks to one.
#pragma once
#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QUrl>

#include "app/engine/http_call.h"

class FakeServer {
 public:
  explicit FakeServer(const QString& fake = {}, int port = 0) {  // 0: any free one
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("LAVA_FAKE", fake);
    environment.insert("LAVASCOPE_TOKEN", token());
    process_.setProcessEnvironment(environment);
    process_.start(program(), {"serve", "--port", QString::number(port)});
    if (process_.waitForReadyRead(10000)) url_ = QUrl(QJsonDocument::fromJson(process_.readLine()).object()["listening"].toString());
  }
  ~FakeServer() {
    process_.kill();
    process_.waitForFinished();
  }
  static QString program() { return QCoreApplication::applicationDirPath() + "/fake_engine"; }
  static QString token() { return "fake-token"; }
  QUrl url() const { return url_; }
  QJsonObject last() const {  // what was asked of it last
    QByteArray body;
    lava::app::HttpCall().perform({(url_.toString() + "/test/last").toUtf8(), token().toUtf8()}, [&](long, QByteArrayView bytes) {
      body.append(bytes);
      return true;
    });
    return QJsonDocument::fromJson(body).object();
  }
  QProcess& process() { return process_; }

 private:
  QProcess process_;
  QUrl url_;
};
