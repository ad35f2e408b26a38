#include "engine/core/weight_pack.h"

#include <algorithm>

#include "engine/io/pack_check.h"

namespace lava {

Result<WeightPack> WeightPack::open(const std::filesystem::path& path, const io::Digest& content) {
  LAVA_TRY(io::MappedFile file, io::MappedFile::open(path));
  const auto stamp = file.stamp();
  if (!stamp) return fail(Error::Kind::io, "The state of " + path.string() + " cannot be told");
  LAVA_TRY(io::PackHeader header, io::parse_pack(file.bytes(), path.string()));
  if (header.content != content) return fail(Error::Kind::invalid, path.string() + " was made of another model");
  file.prefer_big_pages();
  return WeightPack(std::move(file), *stamp, std::move(header));
}

WeightPack::WeightPack(io::MappedFile file, const io::MappedFile::Stamp& stamp, io::PackHeader header)
    : file_(std::move(file)), stamp_(stamp), header_(std::move(header)) {
  for (size_t i = 0; i < header_.entries.size(); ++i) index_.emplace(std::pair(std::string_view(header_.entries[i].name), header_.entries[i].first_row), i);
}

Result<void> WeightPack::check(int threads, const std::stop_token& stop) const {
  // Not through the mapping, where a disk that fails is a fault of this program.
  const auto read = [this](uint64_t offset, std::span<std::byte> target) -> Result<size_t> {
    const size_t count = std::min<uint64_t>(target.size(), file_.size() - offset);
    LAVA_CHECK_OK(file_.read(offset, target.first(count)));
    return count;
  };
  return io::check_matrices(header_, read, threads, path().string(), stop);
}

const std::byte* WeightPack::find(std::string_view tensor, int64_t first_row, DType source_format, const Matrix& shape) const {
  const auto found = index_.find({tensor, first_row});
  if (found == index_.end()) return nullptr;
  const io::PackedEntry& entry = header_.entries[found->second];
  const bool fits = entry.rows == shape.out && entry.in == shape.in && entry.source_format == source_format && entry.format == shape.format &&
                    entry.layout == shape.layout;
  return fits ? file_.bytes().data() + entry.offset : nullptr;
}

}  // namespace lava
