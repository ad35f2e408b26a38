// The models of this user: the default one and what lies in the model folder.
#pragma once
#include <QString>
#include <vector>

namespace lava::app {

struct ModelEntry {
  QString name;
  QString path;       // a file, a folder, or "default"
  qint64 bytes = 0;   // with its other parts
  QString kind;       // "GGUF, qwen2", "Hugging Face folder, llava"
  QString projector;  // of a GGUF model that sees
  bool vision = false;
  QString problem;  // why it cannot be used; empty when nothing is known against it
};

ModelEntry default_model();

// Reads headers only. Sorted by name; files that are parts of others (projectors, later shards) are not listed by themselves.
std::vector<ModelEntry> find_models(const QString& folder);

// What can be fetched, from the catalogue of the program's resources.
struct CatalogueEntry {
  QString id, title, licence, use;
  qint64 bytes = 0;
};
std::vector<CatalogueEntry> catalogue();
QString resource_file(const QString& name);  // "models/fetch.py"; empty when it is not installed

}  // namespace lava::app
