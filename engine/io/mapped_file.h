// A read-only file in memory, mapped by the system: pages are read when touched.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "kernels/result.h"

namespace lava::io {

// Moves, does not copy. The size is that of open(): when another program cuts the file short afterwards, touching the lost pages is a
// bus error that no reader can catch cleanly, so long-lived owners ask intact() before they start on a large part.
class MappedFile {
 public:
  // Tells a file from all others on this computer, and from itself before it was written to.
  struct Identity {
    uint64_t device = 0, inode = 0, bytes = 0;
    int64_t modified_ns = 0;
    bool operator==(const Identity&) const = default;
  };

  // The same, and whether anything about it changed at all: no program can set that time.
  struct Stamp {
    Identity identity;
    int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };

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
  const Identity& identity() const { return identity_; }  // when it was opened
  bool unchanged() const;                                  // nobody wrote to it since
  std::optional<Stamp> stamp() const;                      // as of now
  // The last writing was so long before open() that its time differs from that of any later one.
  bool settled() const { return settled_; }

  void will_read(std::span<const std::byte> part) const;  // a hint: read ahead
  // The pages of `part` leave this process's memory; whoever reads there again, or beside it on the same pages, gets them back from the file.
  void release(std::span<const std::byte> part) const;
  // To be mapped in 2 MB pages where the file system keeps it in such.
  void prefer_big_pages() const;
  // `part` becomes memory of this process now. False when the disk cannot read it, which would be a fault on touching it.
  bool hold(std::span<const std::byte> part) const;
  // A copy that maps no pages; an error when the file ends before.
  Result<void> read(uint64_t offset, std::span<std::byte> target) const;

  static std::optional<Stamp> stamp_of(const std::filesystem::path& path);  // nullopt: no ordinary file
  static std::optional<Identity> identity_of(const std::filesystem::path& path);

 private:
  MappedFile() = default;
  void close() noexcept;

  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  int descriptor_ = -1;
  Identity identity_;
  bool settled_ = false;
};

}  // namespace lava::io
