// A folder that several programs keep things in and one changes at a time.
#pragma once
#include <filesystem>

#include "kernels/result.h"

namespace lava::io {

// Held by the one program that changes the folder. The system opens it again when that program ends, however it ends.
class FolderLock {
 public:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  int descriptor_;
};

// Makes the folder where it is not there, for this user alone. Error::Kind::busy: another program has the lock.
Result<FolderLock> lock_folder(const std::filesystem::path& folder);

}  // namespace lava::io
