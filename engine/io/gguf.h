// GGUF models (versions 2 and 3, little endian), in one file or in shards NAME-00001-of-0000N.gguf. Everything is checked on opening;
// values and tensors stay in the mapped file.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/io/gguf_types.h"
#include "engine/io/mapped_file.h"
#include "engine/io/tensor_source.h"
#include "kernels/result.h"

namespace lava::io {

class Gguf final : public TensorSource {
 public:
  // Any shard opens the whole model.
  static Result<std::unique_ptr<Gguf>> open(const std::filesystem::path& path);

  const TensorEntry* find(std::string_view name) const override;
  std::span<const TensorEntry> tensors() const override { return tensors_; }
  std::string describe() const override;

  // Metadata in file order (of the first shard).
  std::span<const std::pair<std::string, GgufValue>> values() const { return values_; }
  const GgufValue* value(std::string_view key) const;
  bool has(std::string_view key) const { return value(key) != nullptr; }
  std::string architecture() const;  // general.architecture, or empty

  // nullopt: absent, of another kind, or out of range. Integers of every width are accepted for integer(), integers and reals for real().
  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<double> real(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string_view> string(std::string_view key) const;
  // Whole arrays of at most 2^24 elements; the texts point into the file. int_array accepts every integer type and booleans.
  std::optional<std::vector<std::string_view>> string_array(std::string_view key) const;
  std::optional<std::vector<float>> float_array(std::string_view key) const;
  std::optional<std::vector<int64_t>> int_array(std::string_view key) const;
  uint64_t array_size(std::string_view key) const;  // 0 when it is no array

  // Absent: the fallback if there is one, otherwise an error. Of another kind or out of range: always an error.
  Result<int64_t> int_in(std::string_view key, int64_t min, int64_t max, std::optional<int64_t> fallback = {}) const;
  Result<double> real_in(std::string_view key, double min, double max, std::optional<double> fallback = {}) const;

  uint32_t version() const { return version_; }
  uint32_t alignment() const { return alignment_; }
  std::span<const MappedFile> files() const { return files_; }

 private:
  Gguf() = default;

  std::filesystem::path path_;
  std::vector<MappedFile> files_;
  uint32_t version_ = 0, alignment_ = 0;
  std::vector<std::pair<std::string, GgufValue>> values_;
  std::vector<TensorEntry> tensors_;
  std::unordered_map<std::string_view, size_t> value_index_, tensor_index_;  // keys point into the vectors above
};

}  // namespace lava::io
