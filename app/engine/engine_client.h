// One question to an engine over the wire (docs/api.md). Signals arrive on the thread that made the object.
#pragma once
#include <QByteArray>
#include <QJsonObject>
#include <QObject>
#include <QRectF>
#include <QUrl>
#include <vector>

#include "app/history/history_store.h"

namespace lava::app {

struct TurnContent {
  Role role = Role::user;
  QString text;
  std::vector<QByteArray> pictures;    // encoded files (PNG, JPEG, WebP ...), sent as data URLs before the text
  std::vector<QString> picture_types;  // mime of each
  std::vector<QRectF> regions = {};    // of the last picture, in pixels of it upright: what the user points at
};

struct AskOptions {
  int max_tokens = 512;
  double temperature = 0;
  std::optional<qint64> seed;
  QString model;  // only for a server that is not ours (props: served_model): sent with the question, and our own fields are left out
};

struct AnswerDone {
  QString text;
  std::vector<GroundedBox> boxes;
  QJsonObject timings;
  QString finish_reason;  // stop, length
};

class Question : public QObject {
  Q_OBJECT
 public:
  // Starts at once. Deleting or cancel() closes the connection, which stops the engine's work.
  Question(const QUrl& server, const QString& token, std::vector<TurnContent> turns, const AskOptions& options, QObject* parent = nullptr);
  ~Question() override;
  void cancel();

 signals:
  void progress(const QString& phase, int done, int total);  // queued, picture, prompt, answer
  void text(const QString& delta);
  void done(const lava::app::AnswerDone& answer);
  void failed(const lava::Error& error);  // also when the engine went away mid-answer
  void cancelled();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lava::app
