// Media as files named by their SHA-256 under <data>/media/ab/abcdef...; written once, never changed.
#pragma once
#include <QByteArray>
#include <QString>

#include "app/history/history_store.h"
#include "kernels/result.h"

namespace lava::app {

class MediaStore {
 public:
  explicit MediaStore(QString folder);
  // Checks that the bytes are a picture the engine can decode, stores them, and returns size, type and hash. Safe to call from any thread.
  Result<Attachment> add(const QByteArray& bytes, const QString& name) const;
  Result<Attachment> add_file(const QString& path) const;
  QString path(const QString& sha256) const;  // the file; may not exist
  Result<QByteArray> read(const QString& sha256) const;

 private:
  QString folder_;
};

}  // namespace lava::app
