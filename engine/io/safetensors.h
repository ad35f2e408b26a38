// safetensors models: one file, or a folder with model.safetensors or model.safetensors.index.json and its shards.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/io/mapped_file.h"
#include "engine/io/tensor_source.h"
#include "kernels/result.h"

namespace lava::io {

// The bytes of a tensor may start at any address: copy them, do not cast the pointer to a wider type.
class Safetensors final : public TensorSource {
 public:
  // A tensor in a number format that the engine does not compute with (F64, I64, F8 ...). Legal in the file, absent for find().
  struct Unread {
    std::string name, dtype;
    std::vector<int64_t> shape;
    uint64_t bytes = 0;
  };

  // A .safetensors file, an index file, or a folder of either.
  static Result<std::unique_ptr<Safetensors>> open(const std::filesystem::path& path);

  const TensorEntry* find(std::string_view name) const override;
  std::span<const TensorEntry> tensors() const override { return tensors_; }
  std::string describe() const override;
  std::string why_absent(std::string_view name) const override;

  std::span<const Unread> unread() const { return unread_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  std::span<const MappedFile> files() const { return files_; }

 private:
  Safetensors() = default;
  Result<void> add_file(const std::filesystem::path& path);
  Result<void> add_shards(const std::filesystem::path& index);
  Result<void> build_index();

  std::filesystem::path path_;
  std::vector<MappedFile> files_;
  std::vector<TensorEntry> tensors_;
  std::vector<Unread> unread_;
  std::map<std::string, std::string> metadata_;
  std::unordered_map<std::string_view, size_t> tensor_index_;
};

}  // namespace lava::io
