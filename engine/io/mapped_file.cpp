#include "engine/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

namespace lava::io {
namespace {

constexpr long coarsest_seconds = 2;  // between two times that a file system tells apart (FAT)

tl::unexpected<Error> open_error(const std::filesystem::path& path, int code) {
  const std::string shown = path.string();
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return fail(Error::Kind::not_found, "There is no file " + shown, {}, "Check the path");
    case EACCES:
    case EPERM:
      return fail(Error::Kind::io, "The file " + shown + " may not be read", "no permission",
                  "Change its permissions or copy it to a folder of yours");
    case ELOOP:
      return fail(Error::Kind::io, "The file " + shown + " cannot be opened", "its links lead in a circle");
    case ENAMETOOLONG:
      return fail(Error::Kind::invalid, "The file name is too long");
    default:
      return fail(Error::Kind::io, "The file " + shown + " cannot be opened", std::strerror(code));
  }
}

MappedFile::Identity identity_from(const struct stat& info) {
  return {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino), static_cast<uint64_t>(info.st_size),
          int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

MappedFile::Stamp stamp_from(const struct stat& info) { return {identity_from(info), int64_t{info.st_ctim.tv_sec} * 1'000'000'000 + info.st_ctim.tv_nsec}; }

// Hints to the system need whole pages.
int advise(std::span<const std::byte> part, int advice) {
  if (part.empty()) return 0;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(part.data()) & ~(page - 1);
  const auto end = reinterpret_cast<uintptr_t>(part.data()) + part.size();
  return madvise(reinterpret_cast<void*>(first), end - first, advice);
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  if (path.native().find('\0') != std::string::npos) return fail(Error::Kind::invalid, "The file name holds a zero byte");
  MappedFile file;
  file.path_ = path;
  // O_NONBLOCK: a pipe or device in the place of a file must not make us wait.
  file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.descriptor_ < 0) return open_error(path, errno);
  struct stat info {};
  if (fstat(file.descriptor_, &info) != 0) return open_error(path, errno);
  if (S_ISDIR(info.st_mode)) return fail(Error::Kind::invalid, path.string() + " is a folder, not a file");
  if (!S_ISREG(info.st_mode)) return fail(Error::Kind::invalid, path.string() + " is not an ordinary file");
  if (info.st_size <= 0) return fail(Error::Kind::invalid, "The file " + path.string() + " is empty", {}, "Download or copy it again");
  const auto size = static_cast<size_t>(info.st_size);
  void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor_, 0);
  if (address == MAP_FAILED) {
    const auto kind = errno == ENOMEM ? Error::Kind::out_of_memory : Error::Kind::io;
    return fail(kind, "The file " + path.string() + " cannot be mapped into memory", std::strerror(errno));
  }
  file.data_ = static_cast<const std::byte*>(address);
  file.size_ = size;
  file.identity_ = identity_from(info);
  file.settled_ = std::abs(std::time(nullptr) - info.st_mtim.tv_sec) > coarsest_seconds;
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this == &other) return *this;
  close();
  path_ = std::move(other.path_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  descriptor_ = std::exchange(other.descriptor_, -1);
  identity_ = other.identity_;
  settled_ = other.settled_;
  return *this;
}

MappedFile::~MappedFile() { close(); }

void MappedFile::close() noexcept {
  if (data_) munmap(const_cast<std::byte*>(data_), size_);
  if (descriptor_ >= 0) ::close(descriptor_);
  data_ = nullptr;
  size_ = 0;
  descriptor_ = -1;
}

bool MappedFile::intact() const {
  struct stat info {};
  return descriptor_ >= 0 && fstat(descriptor_, &info) == 0 && info.st_size >= 0 && static_cast<size_t>(info.st_size) >= size_;
}

void MappedFile::will_read(std::span<const std::byte> part) const { advise(part, MADV_WILLNEED); }
void MappedFile::release(std::span<const std::byte> part) const { advise(part, MADV_DONTNEED); }

void MappedFile::prefer_big_pages() const {
#ifdef MADV_HUGEPAGE
  madvise(const_cast<std::byte*>(data_), size_, MADV_HUGEPAGE);
#endif
}

bool MappedFile::hold([[maybe_unused]] std::span<const std::byte> part) const {
#ifdef MADV_POPULATE_READ
  return advise(part, MADV_POPULATE_READ) == 0 || errno == EINVAL;  // EINVAL: an older system, which reads when the part is touched
#else
  return true;
#endif
}

Result<void> MappedFile::read(uint64_t offset, std::span<std::byte> target) const {
  while (!target.empty()) {
    const ssize_t count = ::pread(descriptor_, target.data(), target.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fail(Error::Kind::io, "The file " + path_.string() + " cannot be read", count < 0 ? std::strerror(errno) : "it became shorter");
    target = target.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

bool MappedFile::unchanged() const {
  struct stat info {};
  return descriptor_ >= 0 && fstat(descriptor_, &info) == 0 && identity_from(info) == identity_;
}

std::optional<MappedFile::Stamp> MappedFile::stamp() const {
  struct stat info {};
  if (descriptor_ < 0 || fstat(descriptor_, &info) != 0) return std::nullopt;
  return stamp_from(info);
}

std::optional<MappedFile::Stamp> MappedFile::stamp_of(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return stamp_from(info);
}

std::optional<MappedFile::Identity> MappedFile::identity_of(const std::filesystem::path& path) {
  const auto stamp = stamp_of(path);
  return stamp ? std::optional(stamp->identity) : std::nullopt;
}

}  // namespace lava::io
