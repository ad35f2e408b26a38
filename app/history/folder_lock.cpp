#include "app/history/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <QFile>
#include <cerrno>

namespace lava::app {

FolderLock::FolderLock(const QString& file) {
  file_ = ::open(QFile::encodeName(file).constData(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) return;
  held_ = ::flock(file_, LOCK_EX | LOCK_NB) == 0;
  other_ = !held_ && errno == EWOULDBLOCK;
}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace lava::app
