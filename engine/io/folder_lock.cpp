#include "engine/io/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace lava::io {

namespace fs = std::filesystem;

FolderLock::FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<FolderLock> lock_folder(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) return fail(Error::Kind::io, "The folder " + folder.string() + " cannot be made", error.message());
  if (made) fs::permissions(folder, fs::perms::owner_all, error);  // which models somebody has is nobody else's business
  const fs::path path = folder / "lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return fail(Error::Kind::io, "The file " + path.string() + " cannot be written", std::strerror(errno));
  FolderLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return fail(Error::Kind::busy, "Another program is changing " + folder.string());
  return fail(Error::Kind::io, "The file " + path.string() + " cannot be locked", std::strerror(errno));
}

}  // namespace lava::io
