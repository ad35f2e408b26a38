// What the default model answered when its weights were made.
#pragma once
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>

namespace lava::app {

inline QJsonObject recorded(const QString& picture, const QString& question) {
  QFile file(LAVA_SOURCE_DIR "/tests/fixtures/default/golden.jsonl");
  if (!file.open(QFile::ReadOnly)) return {};
  for (const QByteArray& line : file.readAll().split('\n')) {
    const QJsonObject golden = QJsonDocument::fromJson(line).object();
    if (golden["picture"] == picture && golden["question"] == question) return golden;
  }
  return {};
}

}  // namespace lava::app
