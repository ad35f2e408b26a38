#include "engine/core/model_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/mmproj.h"
#include "engine/core/user_folders.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"

namespace lava {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_folder = "models/default";

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

tl::unexpected<Error> manifest_error(const fs::path& folder, std::string cause) {
  return fail(Error::Kind::invalid, "The model's description is not usable", (folder / "model.json").string() + ": " + std::move(cause));
}

// A path inside `folder`, written in a file that came from elsewhere.
Result<fs::path> inner_path(const fs::path& folder, const std::string& text) {
  const fs::path path(text);
  const bool harmless = !text.empty() && path.is_relative() &&
                        std::all_of(path.begin(), path.end(), [](const fs::path& part) { return io::is_plain_file_name(part.string()); });
  if (!harmless) return manifest_error(folder, io::printable(text) + " is no path inside the model's folder");
  return folder / path;
}

// Beside the manifest, or in one of the model stores.
Result<fs::path> find_base(const fs::path& folder, const std::string& text) {
  LAVA_TRY(const fs::path beside, inner_path(folder, text));
  if (is_file(beside)) return beside;
  const std::vector<fs::path> stores = model_stores();
  for (const fs::path& store : stores)
    if (is_file(store / text)) return store / text;
  const fs::path wanted = stores.empty() ? beside : stores.front() / text;
  return fail(Error::Kind::not_found, "The language model that this model is built on is not installed",
              wanted.string() + " does not exist", "Run ./dev run, or lavascope-cli models get smollm2");
}

Result<void> read_adapters(const nlohmann::json& manifest, ModelFiles& files) {
  const nlohmann::json* list = io::member(manifest, "adapters");
  if (!list) return {};
  if (!list->is_array() || list->size() > 16) return manifest_error(files.folder, "adapters is no list");
  for (const nlohmann::json& one : *list) {
    ManifestAdapter adapter;
    LAVA_TRY(const std::string path, io::string_in(one, "path"));
    LAVA_TRY(adapter.path, inner_path(files.folder, path));
    LAVA_TRY(adapter.name, io::string_in(one, "name", adapter.path.stem().string()));
    LAVA_TRY(const int64_t rank, io::int_in(one, "rank", 0, 4096, 0));
    adapter.rank = static_cast<int>(rank);
    LAVA_TRY(adapter.alpha, io::real_in(one, "alpha", -1e6, 1e6, 0.0));
    LAVA_TRY(const std::string when, io::string_in(one, "when", std::string("always")));
    if (when != "always" && when != "picture")
      return manifest_error(files.folder, "an adapter is on \"" + io::printable(when) + "\"; known are always and picture");
    adapter.when_picture = when == "picture";
    files.adapters.push_back(std::move(adapter));
  }
  return {};
}

Result<ModelFiles> from_manifest(const fs::path& folder) {
  LAVA_TRY(const nlohmann::json manifest, io::read_json(folder / "model.json"));
  if (!manifest.is_object()) return manifest_error(folder, "it is no object");
  ModelFiles files;
  files.folder = folder;
  LAVA_TRY(files.name, io::string_in(manifest, "name", folder.filename().string()));
  const nlohmann::json* text = io::member(manifest, "text");
  if (!text) return manifest_error(folder, "it names no language model");
  LAVA_TRY(const std::string gguf, io::string_in(*text, "gguf"));
  LAVA_TRY(files.text, find_base(folder, gguf));
  files.gguf = true;
  if (const nlohmann::json* vision = io::member(manifest, "vision")) files.vision = *vision;
  LAVA_CHECK_OK(read_adapters(manifest, files));
  LAVA_TRY(files.chat, io::string_in(manifest, "chat", std::string()));
  LAVA_TRY(files.grounding, io::string_in(manifest, "grounding", std::string()));
  if (!files.grounding.empty() && files.grounding != "none" && files.grounding != "boxes" && files.grounding != "marks")
    return manifest_error(folder, "grounding is " + io::printable(files.grounding) + "; known are none, boxes and marks");
  LAVA_TRY(const std::string compute, io::string_in(manifest, "compute", std::string()));
  if (!compute.empty() && compute != "float32")
    return manifest_error(folder, "compute is " + io::printable(compute) + "; known is float32");
  files.exact = compute == "float32";
  return files;
}

Result<ModelFiles> from_gguf(const fs::path& file) {
  ModelFiles files;
  files.name = file.stem().string();
  files.text = file;
  files.gguf = true;
  return files;
}

// A folder that somebody filled with GGUF files: it must be clear which one is meant.
Result<ModelFiles> from_gguf_folder(const fs::path& folder) {
  std::vector<fs::path> models;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool later_shard = name.find("-of-") != std::string::npos && name.find("-00001-of-") == std::string::npos;
    if (name.ends_with(".gguf") && !is_side_file(name) && !later_shard) models.push_back(entry->path());
  }
  if (models.size() == 1) return from_gguf(models[0]);
  if (models.empty())
    return fail(Error::Kind::not_found, "There is no model in the folder " + folder.string(),
                "it has no model.json, no config.json and no GGUF file", "Choose the folder that holds config.json, or a GGUF file");
  return fail(Error::Kind::invalid, "It is not clear which model is meant",
              fmt::format("{} holds {} GGUF models", folder.string(), models.size()), "Choose one of the files");
}

Result<ModelFiles> from_default() {
  if (const char* chosen = std::getenv("LAVASCOPE_DEFAULT_MODEL"); chosen && *chosen) {
    if (is_file(fs::path(chosen) / "model.json")) return from_manifest(chosen);
    return fail(Error::Kind::not_found, "The default model is not where LAVASCOPE_DEFAULT_MODEL says",
                (fs::path(chosen) / "model.json").string() + " does not exist", "Correct that variable, or unset it");
  }
  std::vector<fs::path> places;
  for (const fs::path& resources : resource_folders()) places.push_back(resources / default_folder);
  for (const fs::path& place : places)
    if (is_file(place / "model.json")) return from_manifest(place);
  return fail(Error::Kind::not_found, "The default model is not installed",
              places.empty() ? "" : (places.front() / "model.json").string() + " does not exist",
              "Install the program again, or open a model of your own");
}

}  // namespace

bool has_manifest(const std::string& model) { return model == "default" || is_file(fs::path(model) / "model.json"); }

Result<ModelFiles> find_model_files(const AssistantOptions& options) {
  if (options.model == "default") return from_default();
  const fs::path path(options.model);
  if (is_folder(path)) {
    const fs::path folder = path.has_filename() ? path : path.parent_path();
    if (is_file(folder / "model.json")) return from_manifest(folder);
    if (!is_file(folder / "config.json")) return from_gguf_folder(folder);
    ModelFiles files;
    files.name = folder.filename().string();
    files.text = files.folder = folder;
    return files;
  }
  if (is_file(path)) return from_gguf(path);
  std::error_code error;
  if (fs::exists(path, error)) return fail(Error::Kind::invalid, "The model is neither a file nor a folder", path.string(), "Choose another");
  return fail(Error::Kind::not_found, "The model does not exist", path.string(), "Check the path");
}

}  // namespace lava
