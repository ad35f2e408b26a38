// A file that appears under its name only when it is complete.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "kernels/result.h"

namespace lava::io {

// Moves, does not copy. Without finish() nothing remains.
class NewFile {
 public:
  // `bytes`: what will be written; refused at once when the disk has not that much room.
  static Result<NewFile> create(const std::filesystem::path& path, uint64_t bytes);
  // The name it has meanwhile. One that a crash left behind is taken over, one that another program writes is not.
  static std::filesystem::path unfinished(const std::filesystem::path& path);

  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  Result<void> write(std::span<const std::byte> bytes);
  Result<void> flush();   // what was written so far is on the disk
  // Bytes of the file from `offset` on, as many as there are: from the disk and not from the system's memory, where the file system allows that.
  // Offset, size and address are multiples of `page`. For what flush() has brought there.
  Result<size_t> read_back(uint64_t offset, std::span<std::byte> target);
  static constexpr size_t page = 4096;
  Result<void> finish();  // replaces a file of that name

 private:
  NewFile(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  tl::unexpected<Error> write_error(int code) const;

  std::filesystem::path path_;
  int descriptor_ = -1, reading_ = -1;
};

}  // namespace lava::io
