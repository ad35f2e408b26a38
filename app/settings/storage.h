// What this program keeps on this computer: where, and how large. Counted and cleared on a thread of its own.
#pragma once
#include <QObject>
#include <QStringList>
#include <QVariantList>
#include <atomic>
#include <vector>

#include "app/chat/background.h"
#include "kernels/result.h"

namespace lava::app {

struct KeptPlace {
  QString key, name, what, path;
  bool clearable = false;  // all of it can be made again
  QStringList without;     // folders in it that are places of their own
  qint64 bytes = -1;       // below 0: not counted
};

// Of files below it, links not followed. Ends early, with what it has, once `stop` is set.
qint64 bytes_below(const QString& path, const QStringList& without, const std::atomic<bool>& stop);

class Storage : public QObject {
  Q_OBJECT
  Q_PROPERTY(QVariantList places READ places NOTIFY changed)  // maps of key, name, what, path, clearable, bytes, text
  Q_PROPERTY(double bytes READ bytes NOTIFY changed)          // of all that is counted
  Q_PROPERTY(QString text READ text NOTIFY changed)           // the same in words
  Q_PROPERTY(bool busy READ busy NOTIFY changed)

 public:
  explicit Storage(QObject* parent = nullptr);
  ~Storage() override;
  QVariantList places() const;
  double bytes() const;
  QString text() const;
  bool busy() const { return under_way_ > 0; }
  Q_INVOKABLE void count();
  Q_INVOKABLE void clear(const QString& key);

 signals:
  void changed();
  void problem(const QString& what, const QString& cause, const QString& remedy);

 private:
  void count(size_t place);
  std::vector<KeptPlace> places_;
  int under_way_ = 0;
  std::atomic<bool> stop_ = false;
  Background background_;  // last: its work uses the others
};

}  // namespace lava::app
