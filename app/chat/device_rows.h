// The rows of the device switch, from what `lavascope-engine devices --json` prints.
#pragma once
#include <QJsonArray>
#include <QStringList>
#include <QVariantList>

#include "kernels/result.h"

namespace lava::app {

struct FoundDevices {
  enum class State { unknown, looking, known, failed };
  State state = State::unknown;
  QJsonArray devices;  // objects of choice, name, memory, integrated, software
  QStringList notes;   // sentences: what is there and cannot be used, what is not there
};

// `known`, or why the output cannot be read.
Result<FoundDevices> read_devices(const QByteArray& json);

QVariantMap choice_row(const QString& choice, const QString& name, const QString& detail);

// Maps of choice, name, detail: Automatic, what was found, and always the processor and `chosen`.
QVariantList device_rows(const FoundDevices& found, const QString& chosen);

// The row of a server elsewhere; `known`: its name, or empty.
QVariantMap server_row(const QString& known);

// "Processor", "CUDA", "Vulkan" of "cpu", "cuda:0" and so on.
QString backend_name(const QString& choice);

// Memory of a device of that backend and name, 0 where unknown.
qint64 device_memory(const FoundDevices& found, const QString& backend, const QString& name);

}  // namespace lava::app
