// Media as files named by their SHA-256 under <data>/media/ab/abcdef...; written once, never changed.
#pragma once
#include <QByteArray>
#include <QString>

#include "app/history/history_store.h"
#include "kernels/result.h"

namespace lava::app {

// A picture in memory, known to be one.
struct LoadedPicture {
  QByteArray bytes;
  Attachment attachment;
};
Result<LoadedPicture> check_picture(const QByteArray& bytes, const QString& name);
Result<LoadedPicture> load_picture(const QString& path);  // errors name the file

class MediaStore {
 public:
  explicit MediaStore(QString folder);
  // Checks that the bytes are a picture the engine can decode, stores them, and returns size, type and hash. Safe to call from any thread.
  Result<Attachment> add(const QByteArray& bytes, const QString& name) const;
  Result<Attachment> add_file(const QString& path) const;
  Result<void> keep(const LoadedPicture& picture) const;
  QString path(const QString& sha256) const;  // the file; may not exist
  Result<QByteArray> read(const QString& sha256) const;

 private:
  QString folder_;
};

}  // namespace lava::app
