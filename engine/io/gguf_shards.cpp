#include "engine/io/gguf_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

namespace lava::io {
namespace {

namespace fs = std::filesystem;

constexpr int max_shards = 1000;

struct ShardName {
  std::string stem;  // up to the first dash of "-00001-of-00003.gguf"
  int index, count;  // index from 1
};

std::optional<int> five_digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<ShardName> parse_name(const std::string& name) {
  constexpr size_t tail = std::string_view("-00001-of-00003.gguf").size();
  if (name.size() < tail) return std::nullopt;
  const std::string_view end = std::string_view(name).substr(name.size() - tail);
  if (end[0] != '-' || end.substr(6, 4) != "-of-" || end.substr(15) != ".gguf") return std::nullopt;
  const auto index = five_digits(end.substr(1, 5)), count = five_digits(end.substr(10, 5));
  if (!index || !count || *index < 1 || *index > *count) return std::nullopt;
  return ShardName{name.substr(0, name.size() - tail), *index, *count};
}

std::vector<fs::path> names_of(const fs::path& folder, const ShardName& name) {
  std::vector<fs::path> files;
  for (int i = 1; i <= name.count; ++i) files.push_back(folder / fmt::format("{}-{:05}-of-{:05}.gguf", name.stem, i, name.count));
  return files;
}

const fs::path* first_missing(const std::vector<fs::path>& files) {
  std::error_code ignored;
  const auto missing = std::find_if(files.begin(), files.end(), [&](const fs::path& file) { return !fs::exists(file, ignored); });
  return missing == files.end() ? nullptr : &*missing;
}

std::optional<int64_t> setting(const GgufParts& parts, std::string_view key) {
  for (const auto& [name, value] : parts.values)
    if (name == key) return gguf_integer(value);
  return std::nullopt;
}

}  // namespace

Result<std::vector<fs::path>> gguf_shards(const fs::path& path) {
  std::error_code ignored;
  std::vector<fs::path> candidates = {path};
  const fs::path real = fs::weakly_canonical(path, ignored);
  if (!ignored && real != path) candidates.push_back(real);
  std::string missing;
  for (const fs::path& candidate : candidates) {
    const auto name = parse_name(candidate.filename().string());
    if (!name) continue;
    if (name->count > max_shards)
      return fail(Error::Kind::too_large, path.string() + " claims too many parts", fmt::format("{} parts", name->count));
    auto files = names_of(candidate.parent_path(), *name);
    const fs::path* gap = first_missing(files);
    if (!gap) return files;
    if (missing.empty()) missing = gap->filename().string();
  }
  if (!missing.empty() && fs::exists(path, ignored))
    return fail(Error::Kind::not_found, "A part of the model " + path.string() + " is missing", "there is no " + missing,
                "Download all parts into one folder");
  return std::vector<fs::path>{path};
}

Result<void> check_shard(const GgufParts& parts, size_t index, std::span<const fs::path> shards) {
  const int64_t count = setting(parts, "split.count").value_or(shards.size() > 1 ? 0 : 1);
  if (shards.size() == 1) {
    if (count <= 1) return {};
    return fail(Error::Kind::invalid, shards[0].string() + " is one part of a larger model",
                fmt::format("it has {} parts, and the file name does not end like -00001-of-{:05}.gguf", count, count),
                "Give all parts their original names");
  }
  const int64_t number = setting(parts, "split.no").value_or(-1);
  if (count == static_cast<int64_t>(shards.size()) && number == static_cast<int64_t>(index)) return {};
  return fail(Error::Kind::invalid, shards[index].string() + " is not the part that its name says",
              fmt::format("the name says part {} of {}, the file says part {} of {}", index + 1, shards.size(), number + 1, count),
              "Download all parts again");
}

}  // namespace lava::io
