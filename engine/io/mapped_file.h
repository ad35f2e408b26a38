// A read-only file in memory, mapped by the system: pages are read when touched.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "kernels/result.h"

namespace lava::io {

// Moves, does not copy. The size is that of open(): when another program cuts the file short afterwards, touching the lost pages is a
// bus error that no reader can catch cleanly, so long-lived owners ask intact() before they start on a large part.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  size_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }
  bool intact() const;  // the file on disk still has every mapped byte

  void will_read(std::span<const std::byte> part) const;  // a hint: read ahead
  void release(std::span<const std::byte> part) const;    // a hint: the pages may leave memory

 private:
  MappedFile() = default;
  void close() noexcept;

  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace lava::io
