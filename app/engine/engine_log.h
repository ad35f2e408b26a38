// What the engine writes, in a file that the user can read: the last runs, each with its beginning and its end.
#pragma once
#include <QFile>
#include <QString>

namespace lava::app {

class EngineLog {
 public:
  // Another run begins. What earlier ones filled is put aside as FILE.1. An empty name: nothing is kept.
  void begin(const QString& file, const QString& what);
  void line(const QString& text);

 private:
  void write(const QString& text);
  QFile file_;
  qint64 written_ = 0;  // by this run
};

}  // namespace lava::app
