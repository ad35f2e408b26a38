// Packed matrices of one model's file, mapped from a pack on disk (engine/io/pack_file.h).
#pragma once
#include <filesystem>
#include <map>
#include <stop_token>
#include <string_view>
#include <utility>

#include "engine/io/mapped_file.h"
#include "engine/io/pack_file.h"

namespace lava {

// A matrix of a source in packed form: in memory, or in a pack.
struct PackedMatrix {
  std::string name;  // of the tensor
  int64_t first_row = 0;
  DType source_format = DType::f32;  // of the tensor; differs where it was rounded to another before packing
  Matrix matrix;  // with its data
};

// A pack stays whole while it is mapped: it gets its name only when it is complete, nobody writes to it or cuts it afterwards, and the
// mapping keeps its bytes when the name is removed or given to another. So its size, checked on opening, holds for every later access.
class WeightPack {
 public:
  // Refused unless it was made of this content.
  static Result<WeightPack> open(const std::filesystem::path& path, const io::Digest& content);

  // Data of the matrix `shape` whose rows begin at `first_row` of the tensor, or nullptr.
  const std::byte* find(std::string_view tensor, int64_t first_row, DType source_format, const Matrix& shape) const;
  uint64_t bytes() const { return file_.size(); }
  const std::filesystem::path& path() const { return file_.path(); }
  const io::MappedFile::Stamp& stamp() const { return stamp_; }  // when it was opened
  // Reads all of it: open() looks at the matrices' places only, not at their bytes.
  Result<void> check(int threads, const std::stop_token& stop = {}) const;
  // Reads the matrix that find() gave; false: it cannot be used after all.
  bool hold(std::span<const std::byte> matrix) const { return file_.hold(matrix); }

 private:
  WeightPack(io::MappedFile file, const io::MappedFile::Stamp& stamp, io::PackHeader header);

  io::MappedFile file_;
  io::MappedFile::Stamp stamp_;
  io::PackHeader header_;
  std::map<std::pair<std::string_view, int64_t>, size_t> index_;  // names point into header_
};

}  // namespace lava
