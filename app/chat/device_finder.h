// Asks the engine's program what can compute here. The engine that runs may never have looked, and a driver that hangs hangs that program alone.
#pragma once
#include <QObject>

#include "app/chat/device_rows.h"

class QProcess;

namespace lava::app {

class DeviceFinder : public QObject {
  Q_OBJECT
 public:
  explicit DeviceFinder(QObject* parent = nullptr) : QObject(parent) {}
  ~DeviceFinder() override;
  // Once at a time. What was found before stays until the answer is there.
  void find(const QString& program, int patience_ms = 20000);
  const FoundDevices& found() const { return found_; }

 signals:
  void changed();

 private:
  void end(Result<FoundDevices> found);
  FoundDevices found_;
  QProcess* process_ = nullptr;
};

}  // namespace lava::app
