// Ctrl-C, SIGTERM and SIGHUP as a signal of the event loop. There must be a QCoreApplication.
#pragma once
#include <QObject>
#include <QSocketNotifier>
#include <memory>

namespace lava::app {

class Interrupts : public QObject {
  Q_OBJECT
 public:
  static Interrupts& instance();
  bool ending() const { return ending_; }  // SIGTERM or SIGHUP came: leave
  bool take();                             // whether one came since the last call

 signals:
  void happened();

 private:
  Interrupts();
  void read();
  std::unique_ptr<QSocketNotifier> notifier_;
  bool ending_ = false, pending_ = false;
};

}  // namespace lava::app
