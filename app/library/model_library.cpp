#include "app/library/model_library.h"

#include <QDir>
#include <QDirIterator>
#include <QFileInfo>
#include <QRegularExpression>
#include <algorithm>
#include <filesystem>

#include "engine/io/gguf.h"
#include "engine/io/json_file.h"

namespace lava::app {
namespace {

constexpr int most_entries = 2000;  // of files looked at; a model folder is not a whole disk

std::filesystem::path native(const QString& path) { return QFile::encodeName(path).toStdString(); }

bool is_projector_name(const QString& name) { return name.contains("mmproj", Qt::CaseInsensitive); }

bool is_no_main_model(const QString& name) {
  static const QRegularExpression parts(QStringLiteral("imatrix|^(mtp|eagle3|dflash|dspark)-"), QRegularExpression::CaseInsensitiveOption);
  static const QRegularExpression later_shard(QStringLiteral("-(\\d{5})-of-\\d{5}\\.gguf$"));
  const auto shard = later_shard.match(name);
  return parts.match(name).hasMatch() || (shard.hasMatch() && shard.captured(1).toInt() != 1);
}

// The projector in the same folder; with several, the one whose name shares the longest beginning with the model's.
QString projector_of(const QFileInfo& model) {
  auto alike = [&](const QString& name) {
    QString words = name;
    words.remove("mmproj", Qt::CaseInsensitive);
    while (words.startsWith('-') || words.startsWith('.') || words.startsWith('_')) words.remove(0, 1);
    qsizetype same = 0;
    while (same < words.size() && same < model.fileName().size() && words[same].toLower() == model.fileName()[same].toLower()) ++same;
    return same;
  };
  QString best;
  for (const QString& name : model.dir().entryList({"*.gguf"}, QDir::Files, QDir::Name))
    if (is_projector_name(name) && (best.isEmpty() || alike(name) > alike(best))) best = name;
  return best.isEmpty() ? QString() : model.dir().filePath(best);
}

qint64 bytes_of(const QFileInfo& model) {
  static const QRegularExpression first_shard(QStringLiteral("^(.*)-00001-of-(\\d{5})\\.gguf$"));
  const auto shard = first_shard.match(model.fileName());
  if (!shard.hasMatch()) return model.size();
  qint64 bytes = 0;
  for (const QFileInfo& part : model.dir().entryInfoList({shard.captured(1) + "-*-of-" + shard.captured(2) + ".gguf"}, QDir::Files)) bytes += part.size();
  return bytes;
}

// nullopt: a projector by its content, not a model.
std::optional<ModelEntry> gguf_entry(const QFileInfo& file) {
  ModelEntry entry;
  entry.path = file.filePath();
  entry.name = file.completeBaseName();
  entry.bytes = bytes_of(file);
  entry.kind = "GGUF";
  const auto gguf = io::Gguf::open(native(file.filePath()));
  if (!gguf) {
    entry.problem = QString::fromStdString(gguf.error().message());
    return entry;
  }
  const QString architecture = QString::fromStdString((*gguf)->architecture());
  if (architecture == "clip") return std::nullopt;
  entry.kind += ", " + architecture;
  entry.projector = projector_of(file);
  entry.vision = !entry.projector.isEmpty();
  if (entry.vision) entry.bytes += QFileInfo(entry.projector).size();
  return entry;
}

ModelEntry folder_entry(const QFileInfo& folder) {
  ModelEntry entry;
  entry.path = folder.filePath();
  entry.name = folder.fileName();
  entry.kind = "Hugging Face folder";
  const QDir dir(folder.filePath());
  for (const QFileInfo& part : dir.entryInfoList({"*.safetensors"}, QDir::Files)) entry.bytes += part.size();
  const auto config = io::read_json(native(dir.filePath("config.json")));
  if (!config) {
    entry.problem = QString::fromStdString(config.error().message());
    return entry;
  }
  const auto type = io::string_in(*config, "model_type", std::string("unknown"));
  entry.kind += ", " + QString::fromStdString(type ? *type : std::string("unknown"));
  entry.vision = io::member(*config, "vision_config") || io::member(*config, "mm_vision_tower");
  return entry;
}

bool is_model_folder(const QString& folder) {
  const QDir dir(folder);
  return dir.exists("config.json") && !dir.entryList({"*.safetensors"}, QDir::Files).isEmpty();
}

}  // namespace

std::vector<ModelEntry> find_models(const QString& folder) {
  std::vector<ModelEntry> models;
  if (is_model_folder(folder)) models.push_back(folder_entry(QFileInfo(folder)));
  int looked_at = 0;
  for (QDirIterator it(folder, QDir::Files | QDir::Dirs | QDir::NoDotAndDotDot | QDir::Readable, QDirIterator::Subdirectories); it.hasNext() && looked_at < most_entries; ++looked_at) {
    it.next();
    const QFileInfo info = it.fileInfo();
    if (info.isDir()) {
      if (is_model_folder(info.filePath())) models.push_back(folder_entry(info));
    } else if (info.suffix().toLower() == "gguf" && !is_projector_name(info.fileName()) && !is_no_main_model(info.fileName())) {
      if (auto entry = gguf_entry(info)) models.push_back(std::move(*entry));
    }
  }
  std::sort(models.begin(), models.end(), [](const ModelEntry& a, const ModelEntry& b) { return a.name.compare(b.name, Qt::CaseInsensitive) < 0; });
  return models;
}

}  // namespace lava::app
