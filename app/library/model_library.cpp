#include "app/library/model_library.h"

#include <QDir>
#include <QDirIterator>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <algorithm>
#include <filesystem>

#include "engine/core/mmproj.h"
#include "engine/core/model_files.h"
#include "engine/core/user_folders.h"
#include "engine/io/gguf.h"
#include "engine/io/json_file.h"

namespace lava::app {
namespace {

constexpr int most_entries = 2000;  // of files looked at; a model folder is not a whole disk

std::filesystem::path native(const QString& path) { return QFile::encodeName(path).toStdString(); }

bool is_later_shard(const QString& name) {
  static const QRegularExpression shard(QStringLiteral("-(\\d{5})-of-\\d{5}\\.gguf$"));
  const auto match = shard.match(name);
  return match.hasMatch() && match.captured(1).toInt() != 1;
}

qint64 bytes_of(const QFileInfo& model) {
  static const QRegularExpression first_shard(QStringLiteral("^(.*)-00001-of-(\\d{5})\\.gguf$"));
  const auto shard = first_shard.match(model.fileName());
  if (!shard.hasMatch()) return model.size();
  qint64 bytes = 0;
  for (const QFileInfo& part : model.dir().entryInfoList({shard.captured(1) + "-*-of-" + shard.captured(2) + ".gguf"}, QDir::Files))
    bytes += part.size();
  return bytes;
}

qint64 bytes_of_folder(const QString& folder) {
  qint64 bytes = 0;
  for (const QFileInfo& part : QDir(folder).entryInfoList({"*.safetensors"}, QDir::Files)) bytes += part.size();
  return bytes;
}

QString folder_kind(const QString& folder, bool& vision) {
  const auto config = io::read_json(native(QDir(folder).filePath("config.json")));
  if (!config) return "Hugging Face folder";
  vision = io::member(*config, "vision_config") || io::member(*config, "mm_vision_tower");
  const auto type = io::string_in(*config, "model_type", std::string("unknown"));
  return "Hugging Face folder, " + (type ? QString::fromStdString(*type) : QString("unknown"));
}

// Asks the engine's own rules which files belong together, so that what is listed is what would be loaded.
void read_parts(ModelEntry& entry, const QString& model) {
  AssistantOptions options;
  options.model = native(model).string();
  const auto files = find_model_files(options);
  if (!files) {
    entry.problem = QString::fromStdString(files.error().message());
    return;
  }
  if (files->gguf) entry.bytes += bytes_of(QFileInfo(QFile::decodeName(files->text.c_str())));
  if (!files->folder.empty()) entry.bytes += bytes_of_folder(QFile::decodeName(files->folder.c_str()));
  entry.vision |= !files->vision.is_null();
}

// nullopt: a projector by its content, not a model.
std::optional<ModelEntry> gguf_entry(const QFileInfo& file) {
  ModelEntry entry;
  entry.kind = "GGUF";
  entry.path = file.filePath();
  entry.name = file.completeBaseName();
  entry.bytes = bytes_of(file);
  const auto gguf = io::Gguf::open(native(entry.path));
  if (!gguf) {
    entry.problem = QString::fromStdString(gguf.error().message());
    return entry;
  }
  const std::string architecture = (*gguf)->architecture();
  if (architecture == "clip") return std::nullopt;
  entry.kind += ", " + QString::fromStdString(architecture);
  const MmprojChoice projector = find_mmproj(native(entry.path), (*gguf)->integer(architecture + ".embedding_length").value_or(0));
  entry.projector = QFile::decodeName(projector.file.c_str());
  entry.vision = !entry.projector.isEmpty();
  if (entry.vision) entry.bytes += QFileInfo(entry.projector).size();
  return entry;
}

ModelEntry folder_entry(const QFileInfo& folder) {
  ModelEntry entry;
  entry.path = folder.filePath();
  entry.name = folder.fileName();
  if (QDir(entry.path).exists("model.json")) {
    entry.kind = "Lavascope folder";
  } else {
    entry.kind = folder_kind(entry.path, entry.vision);
  }
  read_parts(entry, entry.path);
  return entry;
}

bool is_model_folder(const QString& folder) {
  const QDir dir(folder);
  return dir.exists("model.json") || (dir.exists("config.json") && !dir.entryList({"*.safetensors"}, QDir::Files).isEmpty());
}

}  // namespace

ModelEntry default_model() {
  ModelEntry entry;
  entry.name = entry.path = "default";
  entry.kind = "comes with Lavascope";
  read_parts(entry, "default");
  return entry;
}

QString resource_file(const QString& name) {
  for (const auto& folder : resource_folders()) {
    const QString file = QDir(QFile::decodeName(folder.c_str())).filePath(name);
    if (QFileInfo(file).isFile()) return file;
  }
  return {};
}

std::vector<CatalogueEntry> catalogue() {
  std::vector<CatalogueEntry> entries;
  QFile file(resource_file("models/catalogue.json"));
  if (!file.open(QFile::ReadOnly)) return entries;
  const QJsonObject models = QJsonDocument::fromJson(file.readAll()).object();
  for (auto it = models.begin(); it != models.end(); ++it) {
    const QJsonObject model = it.value().toObject();
    entries.push_back(
        {it.key(), model["title"].toString(), model["licence"].toString(), model["why"].toString(), model["file_bytes"].toInteger()});
  }
  return entries;
}

std::vector<ModelEntry> find_models(const QString& folder) {
  std::vector<ModelEntry> models;
  if (is_model_folder(folder)) models.push_back(folder_entry(QFileInfo(folder)));
  int looked_at = 0;
  for (QDirIterator it(folder, QDir::Files | QDir::Dirs | QDir::NoDotAndDotDot | QDir::Readable, QDirIterator::Subdirectories);
       it.hasNext() && looked_at < most_entries; ++looked_at) {
    it.next();
    const QFileInfo info = it.fileInfo();
    if (info.isDir()) {
      if (is_model_folder(info.filePath())) models.push_back(folder_entry(info));
    } else if (info.suffix().toLower() == "gguf" && !is_side_file(info.fileName().toStdString()) && !is_later_shard(info.fileName())) {
      if (auto entry = gguf_entry(info)) models.push_back(std::move(*entry));
    }
  }
  std::sort(models.begin(), models.end(),
            [](const ModelEntry& a, const ModelEntry& b) { return a.name.compare(b.name, Qt::CaseInsensitive) < 0; });
  return models;
}

}  // namespace lava::app
