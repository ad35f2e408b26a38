#include "engine/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "engine/io/json_file.h"
#include "engine/io/names.h"
#include "engine/io/safetensors_parse.h"

namespace lava::io {
namespace {

namespace fs = std::filesystem;

constexpr size_t max_shards = 1000;
constexpr std::string_view index_ending = ".safetensors.index.json";

struct Listing {
  std::vector<std::string> safetensors, indexes, pickles, ggufs;
};

Listing list(const fs::path& folder) {
  Listing out;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(index_ending)) out.indexes.push_back(name);
    if (name.ends_with(".safetensors")) out.safetensors.push_back(name);
    if (name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth") || name.ends_with(".bin.index.json"))
      out.pickles.push_back(name);
    if (name.ends_with(".gguf")) out.ggufs.push_back(name);
  }
  for (auto* names : {&out.safetensors, &out.indexes, &out.pickles, &out.ggufs}) std::sort(names->begin(), names->end());
  return out;
}

// The one file in a folder that holds the weights or lists their parts.
Result<fs::path> choose(const fs::path& folder) {
  const Listing found = list(folder);
  const auto has = [](const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (has(found.safetensors, "model.safetensors")) return folder / "model.safetensors";
  if (has(found.indexes, "model.safetensors.index.json")) return folder / "model.safetensors.index.json";
  if (found.indexes.size() == 1) return folder / found.indexes[0];
  if (found.safetensors.size() == 1) return folder / found.safetensors[0];
  if (!found.safetensors.empty())
    return fail(Error::Kind::invalid, "It is not clear which weights in " + folder.string() + " belong to the model",
                fmt::format("there are {} safetensors files and no model.safetensors.index.json", found.safetensors.size()),
                "Open one of the files");
  if (!found.pickles.empty())
    return fail(
        Error::Kind::unsupported, "The weights in " + folder.string() + " are Python pickles, which can run code when they are opened",
        printable(found.pickles[0]), "Get the model as safetensors or GGUF, or save it again with safe_serialization=True in transformers");
  if (!found.ggufs.empty())
    return fail(Error::Kind::invalid, folder.string() + " holds GGUF files, no safetensors", printable(found.ggufs[0]),
                "Open the GGUF file itself");
  return fail(Error::Kind::not_found, "There are no weights in the folder " + folder.string(), "no file ends in .safetensors");
}

}  // namespace

Result<std::unique_ptr<Safetensors>> Safetensors::open(const fs::path& path) {
  std::unique_ptr<Safetensors> model(new Safetensors);
  model->path_ = path;
  std::error_code ignored;
  fs::path file = path;
  if (fs::is_directory(path, ignored)) {
    LAVA_TRY(file, choose(path));
  }
  if (file.filename().string().ends_with(index_ending)) {
    LAVA_CHECK_OK(model->add_shards(file));
  } else {
    LAVA_CHECK_OK(model->add_file(file));
  }
  LAVA_CHECK_OK(model->build_index());
  return model;
}

Result<void> Safetensors::add_file(const fs::path& path) {
  LAVA_TRY(MappedFile file, MappedFile::open(path));
  LAVA_TRY(SafetensorsParts parts, parse_safetensors(file.bytes(), path.string()));
  files_.push_back(std::move(file));
  std::move(parts.tensors.begin(), parts.tensors.end(), std::back_inserter(tensors_));
  std::move(parts.unread.begin(), parts.unread.end(), std::back_inserter(unread_));
  metadata_.merge(parts.metadata);
  return {};
}

Result<void> Safetensors::add_shards(const fs::path& index) {
  LAVA_TRY(const nlohmann::json json, read_json(index, {.max_bytes = size_t{64} << 20, .max_depth = 8, .max_values = 4'000'000}));
  const nlohmann::json* map = member(json, "weight_map");
  if (!map || !map->is_object() || map->empty()) return fail(Error::Kind::invalid, index.string() + " is damaged", "it has no weight_map");
  std::set<std::string> shards;
  for (const auto& [name, shard] : map->items()) {
    if (!shard.is_string() || !is_plain_file_name(shard.get_ref<const std::string&>()))
      return fail(Error::Kind::invalid, index.string() + " names a part that is not a plain file name",
                  printable(shard.is_string() ? shard.get<std::string>() : name),
                  "Do not open this model unless you trust where it comes from");
    shards.insert(shard.get<std::string>());
  }
  if (shards.size() > max_shards)
    return fail(Error::Kind::too_large, index.string() + " names too many parts", fmt::format("{} parts", shards.size()));
  for (const std::string& shard : shards) LAVA_CHECK_OK(add_file(index.parent_path() / shard));
  LAVA_CHECK_OK(build_index());
  for (const auto& [name, shard] : map->items()) {
    if (!find(name) && why_absent(name).empty())
      return fail(Error::Kind::invalid, "The parts of " + index.string() + " do not belong together",
                  fmt::format("the tensor {} is not in {}", printable(name), printable(shard.get<std::string>())),
                  "Download all parts again");
  }
  return {};
}

Result<void> Safetensors::build_index() {
  tensor_index_.clear();
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!tensor_index_.emplace(tensors_[i].name, i).second)
      return fail(Error::Kind::invalid, "The parts of " + path_.string() + " do not belong together",
                  "the tensor " + printable(tensors_[i].name) + " is in two of them");
  }
  return {};
}

const TensorEntry* Safetensors::find(std::string_view name) const {
  const auto found = tensor_index_.find(name);
  return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

std::string Safetensors::describe() const { return path_.string(); }

std::string Safetensors::why_absent(std::string_view name) const {
  const auto found = std::find_if(unread_.begin(), unread_.end(), [&](const Unread& entry) { return entry.name == name; });
  return found == unread_.end() ? std::string() : "its numbers are " + found->dtype + ", which Lavascope does not compute with";
}

}  // namespace lava::io
