#include "engine/io/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace lava::io {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> open_error(const fs::path& path, int code) {
  const std::string what = "The file " + path.string() + " cannot be written";
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return fail(Error::Kind::not_found, what, "there is no folder " + path.parent_path().string(), "Make the folder first");
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(Error::Kind::io, what, std::strerror(code), "Choose a folder of yours");
    default:
      return fail(Error::Kind::io, what, std::strerror(code), "Choose another name");
  }
}

Result<void> check_room(const fs::path& path, uint64_t bytes) {
  std::error_code error;
  const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  const fs::space_info room = fs::space(folder, error);
  if (error || room.available >= bytes) return {};  // what the system does not know, writing will show
  return fail(Error::Kind::io, "There is not enough room on the disk for " + path.string(),
              fmt::format("it needs {} MB, {} MB are free", bytes / 1'000'000 + 1, room.available / 1'000'000), "Free some room or choose another disk");
}

}  // namespace

fs::path NewFile::unfinished(const fs::path& path) {
  fs::path part = path;
  part += ".part";
  return part;
}

Result<NewFile> NewFile::create(const fs::path& path, uint64_t bytes) {
  std::error_code ignored;
  if (path.filename().empty() || fs::is_directory(path, ignored)) return fail(Error::Kind::invalid, path.string() + " is a folder, not a file", {}, "Give the name of a file");
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored))
    return fail(Error::Kind::invalid, path.string() + " is not an ordinary file", {}, "Choose another name");
  const fs::path part = unfinished(path);
  const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) return open_error(path, errno);
  struct stat info {};
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 || ::fstat(descriptor, &info) != 0 || info.st_nlink == 0) {
    ::close(descriptor);
    return fail(Error::Kind::busy, "Another program is writing " + path.string(), part.string() + " is in use", "Wait for it or choose another name");
  }
  NewFile file(path, descriptor);
  if (::ftruncate(descriptor, 0) != 0) return open_error(path, errno);
  LAVA_CHECK_OK(check_room(path, bytes));
  return file;
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), reading_(std::exchange(other.reading_, -1)) {}

NewFile::~NewFile() {
  if (reading_ >= 0) ::close(reading_);
  if (descriptor_ < 0) return;
  ::unlink(unfinished(path_).c_str());
  ::close(descriptor_);
}

tl::unexpected<Error> NewFile::write_error(int code) const {
  if (code == ENOSPC || code == EDQUOT)
    return fail(Error::Kind::io, "The disk became full while writing " + path_.string(), std::strerror(code), "Free some room or choose another disk");
  if (code == EFBIG) return fail(Error::Kind::io, "The file " + path_.string() + " became larger than this disk or account allows", {}, "Choose another disk");
  return fail(Error::Kind::io, "Writing " + path_.string() + " failed", std::strerror(code), "Check the disk");
}

Result<void> NewFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return write_error(errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Result<void> NewFile::flush() {
  if (::fdatasync(descriptor_) != 0) return write_error(errno);
  return {};
}

Result<size_t> NewFile::read_back(uint64_t offset, std::span<std::byte> target) {
  const auto failed = [&] { return fail(Error::Kind::io, "What was written of " + path_.string() + " cannot be read", std::strerror(errno), "Check the disk"); };
  const std::filesystem::path part = unfinished(path_);
  if (reading_ < 0) reading_ = ::open(part.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECT);
  if (reading_ < 0 && errno == EINVAL) reading_ = ::open(part.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (reading_ < 0) return failed();
  size_t done = 0;
  while (done < target.size()) {
    const ssize_t count = ::pread(reading_, target.data() + done, target.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    // A disk of larger sectors; or behind the end of a file whose size is no multiple of them.
    if (count < 0 && errno == EINVAL && (::fcntl(reading_, F_GETFL) & O_DIRECT) && ::fcntl(reading_, F_SETFL, 0) == 0) continue;
    if (count < 0) return failed();
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

Result<void> NewFile::finish() {
  // Before the rename: a name must never lead to a file whose end was lost.
  if (::fsync(descriptor_) != 0) return write_error(errno);
  if (::rename(unfinished(path_).c_str(), path_.c_str()) != 0) return write_error(errno);
  ::close(std::exchange(descriptor_, -1));
  return {};
}

}  // namespace lava::io
