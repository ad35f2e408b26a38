#include "app/chat/device_rows.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

#include "app/chat/words.h"

namespace lava::app {
namespace {

constexpr char16_t dot[] = u" \u00B7 ";

QString tr(const char* text) { return QCoreApplication::translate("DeviceRows", text); }

QString backend_of(const QString& choice) { return choice.section(':', 0, 0); }

int count_of(const QJsonArray& devices, const QString& backend) {
  return static_cast<int>(std::count_if(devices.begin(), devices.end(), [&](const QJsonValue& one) { return backend_of(one["choice"].toString()) == backend; }));
}

QVariantMap found_row(const QJsonValue& device, const QJsonArray& all) {
  const QString choice = device["choice"].toString(), name = device["name"].toString();
  if (choice == "cpu") return choice_row(choice, tr("Processor"), name);
  QStringList details{backend_name(choice)};
  if (count_of(all, backend_of(choice)) > 1) details[0] += ' ' + choice.section(':', 1);
  const auto memory = static_cast<qint64>(device["memory"].toDouble());
  if (memory > 0) details << (device["integrated"].toBool() ? tr("%1 of the computer's memory") : "%1").arg(bytes_line(memory));
  if (device["software"].toBool()) details << tr("played by the processor, slower than it");
  return choice_row(choice, name, details.join(dot));
}

bool has(const QVariantList& rows, const QString& choice) {
  return std::any_of(rows.begin(), rows.end(), [&](const QVariant& one) { return one.toMap().value("choice") == choice; });
}

// A device that is chosen and was not found, or a backend without a number.
QVariantMap chosen_row(const FoundDevices& found, const QString& chosen) {
  if (found.state != FoundDevices::State::known) return choice_row(chosen, backend_name(chosen), {});
  const bool any = !chosen.contains(':') && count_of(found.devices, chosen) > 0;
  return choice_row(chosen, backend_name(chosen) + (chosen.contains(':') ? ' ' + chosen.section(':', 1) : QString()),
             any ? tr("the best that it finds") : tr("not found on this computer"));
}

// What a backend without devices lacks, unless a device that is no software makes that beside the point.
QStringList absences(const QJsonObject& all) {
  const QJsonArray devices = all["devices"].toArray();
  const bool any = std::any_of(devices.begin(), devices.end(), [](const QJsonValue& one) { return one["choice"].toString() != "cpu" && !one["software"].toBool(); });
  QStringList notes;
  if (any) return notes;
  for (const QJsonValue one : all["absent"].toArray()) notes << one.toString();
  return notes;
}

}  // namespace

Result<FoundDevices> read_devices(const QByteArray& json) {
  const QJsonObject all = QJsonDocument::fromJson(json).object();
  if (!all["devices"].isArray()) return fail(Error::Kind::invalid, "The devices of this computer cannot be listed", "the engine's list cannot be read", "Install Lavascope again");
  FoundDevices found;
  found.state = FoundDevices::State::known;
  for (const QJsonValue one : all["devices"].toArray())
    if (!one["choice"].toString().isEmpty()) found.devices << one;
  for (const QJsonValue problem : all["problems"].toArray()) found.notes << problem.toString();
  found.notes << absences(all);
  return found;
}

QVariantMap choice_row(const QString& choice, const QString& name, const QString& detail) { return {{"choice", choice}, {"name", name}, {"detail", detail}}; }

QVariantList device_rows(const FoundDevices& found, const QString& chosen) {
  QVariantList rows{choice_row("auto", tr("Automatic"), tr("A graphics card that has passed a check, or else the processor"))};
  for (const QJsonValue one : found.devices) rows << found_row(one, found.devices);
  if (!has(rows, "cpu")) rows << choice_row("cpu", tr("Processor"), {});
  if (!has(rows, chosen)) rows.insert(1, chosen_row(found, chosen));
  return rows;
}

QVariantMap server_row(const QString& known) {
  return choice_row("server", tr("Another computer"), known.isEmpty() ? tr("Give the address of a server") : known);
}

QString backend_name(const QString& choice) {
  const QString backend = backend_of(choice);
  if (backend == "cuda") return "CUDA";
  if (backend == "vulkan") return "Vulkan";
  return backend == "auto" ? tr("Automatic") : tr("Processor");
}

qint64 device_memory(const FoundDevices& found, const QString& backend, const QString& name) {
  for (const QJsonValue one : found.devices)
    if (backend_of(one["choice"].toString()) == backend && one["name"].toString() == name) return static_cast<qint64>(one["memory"].toDouble());
  return 0;
}

}  // namespace lava::app
