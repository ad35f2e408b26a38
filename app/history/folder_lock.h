// One writer per history folder: an advisory lock that the system releases when the process ends, however it ends.
// It lives on a file of its own: opening and closing the database by other means would drop SQLite's own locks.
#pragma once
#include <QString>

namespace lava::app {

class FolderLock {
 public:
  explicit FolderLock(const QString& file);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  bool held() const { return held_; }
  bool taken_by_other() const { return other_; }  // else: the file cannot be made (read-only folder)

 private:
  int file_ = -1;
  bool held_ = false, other_ = false;
};

}  // namespace lava::app
