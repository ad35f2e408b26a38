#include "app/settings/storage.h"

#include <QFile>
#include <filesystem>
#include <numeric>

#include "app/chat/words.h"
#include "app/settings/paths.h"
#include "engine/core/user_folders.h"
#include "engine/core/weight_pack_store.h"
#include "engine/devices/verdicts.h"

namespace lava::app {
namespace {

namespace fs = std::filesystem;

fs::path native(const QString& path) { return QFile::encodeName(path).toStdString(); }
QString text(const fs::path& path) { return QFile::decodeName(path.c_str()); }

std::vector<KeptPlace> all_places() {
  using namespace paths;
  const QString packs = text(weight_pack_folder()), checks = text(device_verdict_folder());
  std::vector<KeptPlace> places{{"history", "Chats", "Questions, answers and daily copies of them", data(), false, {media(), models()}},
                                {"media", "Pictures", "What was added to chats, each once", media(), false, {}},
                                {"models", "Models", "What was fetched or put there", models(), false, {}}};
  if (!packs.isEmpty()) places.push_back({"packs", "Packed weights", "Large models in the order in which they are read: they open faster. Made again when needed", packs, true, {}});
  if (!checks.isEmpty()) places.push_back({"checks", "Device checks", "Which graphics cards compute right here. Made again when needed", checks, true, {}});
  places.push_back({"cache", "Other caches", "Programs for graphics cards and the like", cache(), false, {packs, checks}});
  places.push_back({"state", "Log and window", "What the engine wrote, drafts, and where the window was", state(), false, {}});
  return places;
}

// On the background thread.
Result<void> clear_place(const QString& key) {
  if (key == "checks") {
    forget_verdicts(device_verdict_folder());
    return {};
  }
  const WeightPackStore store(weight_pack_folder());
  const auto lock = store.lock();
  if (lock) store.clear();
  else if (lock.error().kind == Error::Kind::busy) return fail(Error::Kind::busy, "Packed weights are being written", "the engine packs a model now", "Try again in a few minutes");
  else return tl::unexpected(lock.error());
  return {};
}

}  // namespace

qint64 bytes_below(const QString& path, const QStringList& without, const std::atomic<bool>& stop) {
  qint64 bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(native(path), fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator() && !stop; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_symlink(ignored)) continue;
    if (entry->is_directory(ignored) && without.contains(text(entry->path()))) entry.disable_recursion_pending();
    else if (entry->is_regular_file(ignored)) bytes += static_cast<qint64>(entry->file_size(ignored));
  }
  return bytes;
}

Storage::Storage(QObject* parent) : QObject(parent), places_(all_places()) {}

Storage::~Storage() { stop_ = true; }

QVariantList Storage::places() const {
  QVariantList rows;
  for (const KeptPlace& place : places_)
    rows << QVariantMap{{"key", place.key}, {"name", place.name}, {"what", place.what}, {"path", place.path}, {"clearable", place.clearable},
                        {"bytes", static_cast<double>(std::max<qint64>(place.bytes, 0))}, {"text", place.bytes < 0 ? QString() : bytes_line(place.bytes)}};
  return rows;
}

double Storage::bytes() const {
  return std::accumulate(places_.begin(), places_.end(), 0.0, [](double sum, const KeptPlace& place) { return sum + static_cast<double>(std::max<qint64>(place.bytes, 0)); });
}

QString Storage::text() const { return bytes_line(static_cast<qint64>(bytes())); }

void Storage::count() {
  if (busy()) return;
  for (size_t i = 0; i < places_.size(); ++i) count(i);
  emit changed();
}

void Storage::count(size_t place) {
  ++under_way_;
  const KeptPlace& counted = places_[place];
  background_.run(this, [path = counted.path, without = counted.without, &stop = stop_] { return bytes_below(path, without, stop); }, [this, place](qint64 bytes) {
    places_[place].bytes = bytes;
    --under_way_;
    emit changed();
  });
}

void Storage::clear(const QString& key) {
  const auto place = std::find_if(places_.begin(), places_.end(), [&](const KeptPlace& one) { return one.key == key && one.clearable; });
  if (place == places_.end()) return;
  background_.run(this, [key] { return clear_place(key); }, [this](const Result<void>& cleared) {
    if (!cleared) emit problem(QString::fromStdString(cleared.error().what), QString::fromStdString(cleared.error().cause), QString::fromStdString(cleared.error().remedy));
  });
  count(static_cast<size_t>(place - places_.begin()));
  emit changed();
}

}  // namespace lava::app
