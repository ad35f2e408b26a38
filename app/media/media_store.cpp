#include "app/media/media_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>
#include <QSaveFile>

#include "engine/media/picture.h"

namespace lava::app {
namespace {

constexpr qint64 most_file_bytes = qint64{512} << 20;

QString hash_of(const QByteArray& bytes) {
  return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
}

bool is_hash(const QString& text) {
  static const QRegularExpression pattern(QStringLiteral("\\A[0-9a-f]{64}\\z"));
  return pattern.match(text).hasMatch();
}

QString mime_of(media::PictureFormat format) {
  switch (format) {
    case media::PictureFormat::png: return "image/png";
    case media::PictureFormat::jpeg: return "image/jpeg";
    case media::PictureFormat::webp: return "image/webp";
    case media::PictureFormat::gif: return "image/gif";
    case media::PictureFormat::bmp: return "image/bmp";
    case media::PictureFormat::pnm: return "image/x-portable-anymap";
  }
  return "application/octet-stream";
}

tl::unexpected<Error> cannot_store(const QString& path, const QString& cause) {
  return fail(Error::Kind::io, "The picture could not be kept", QDir::toNativeSeparators(path).toStdString() + ": " + cause.toStdString(),
              "Check that the disk is not full and that you may write there");
}

// The rename must reach the disk too, or a power cut may leave a message without its picture.
void sync_folder(const QString& folder) {
  const int handle = ::open(QFile::encodeName(folder).constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;
  ::fsync(handle);
  ::close(handle);
}

Result<QByteArray> read_file(const QString& path) {
  const std::string shown = QDir::toNativeSeparators(path).toStdString();
  const QFileInfo info(path);
  if (!info.exists()) return fail(Error::Kind::not_found, "The file does not exist", shown, "Check the name");
  if (!info.isFile()) return fail(Error::Kind::invalid, "This is not a file", shown, "Choose a picture");
  QFile file(path);
  if (!file.open(QFile::ReadOnly))
    return fail(Error::Kind::io, "The file cannot be read", shown + ": " + file.errorString().toStdString(), "Check its permissions");
  if (file.size() > most_file_bytes)
    return fail(Error::Kind::too_large, "The file is too large", shown + " is larger than 512 MB", "Choose a smaller picture");
  QByteArray bytes = file.read(file.size());  // read() first allocates whatever it is allowed to read
  if (file.error() != QFile::NoError)
    return fail(Error::Kind::io, "The file cannot be read", shown + ": " + file.errorString().toStdString(), "Check the disk");
  return bytes;
}

}  // namespace

MediaStore::MediaStore(QString folder) : folder_(std::move(folder)) {}

QString MediaStore::path(const QString& sha256) const {
  if (!is_hash(sha256)) return {};
  return QDir(folder_).filePath(sha256.left(2) + "/" + sha256);
}

Result<LoadedPicture> check_picture(const QByteArray& bytes, const QString& name) {
  const std::span view(reinterpret_cast<const std::byte*>(bytes.constData()), static_cast<size_t>(bytes.size()));
  // Whole, not the header alone: what is kept must be what every later question can be asked about.
  LAVA_TRY(const media::Picture picture, media::decode_picture(view));
  return LoadedPicture{bytes, {hash_of(bytes), name, mime_of(picture.source.format), picture.width, picture.height}};
}

Result<LoadedPicture> load_picture(const QString& path) {
  LAVA_TRY(const QByteArray bytes, read_file(path));
  auto picture = check_picture(bytes, QFileInfo(path).fileName());
  if (picture) return picture;
  Error error = picture.error();
  error.cause = QDir::toNativeSeparators(path).toStdString() + (error.cause.empty() ? "" : ": " + error.cause);
  return tl::unexpected(error);
}

Result<void> MediaStore::keep(const LoadedPicture& picture) const {
  const QString target = path(picture.attachment.sha256);
  // A file of the right size under this name was written whole; read() verifies what is in it.
  if (QFileInfo(target).isFile() && QFileInfo(target).size() == picture.bytes.size()) return {};
  const QString folder = QFileInfo(target).path();
  if (!QDir().mkpath(folder)) return cannot_store(folder, "the folder cannot be made");
  QSaveFile file(target);  // a temporary file beside it, renamed by commit()
  if (!file.open(QFile::WriteOnly) || file.write(picture.bytes) != picture.bytes.size() || !file.flush() || ::fsync(file.handle()) != 0 ||
      !file.commit())
    return cannot_store(target, file.errorString());
  sync_folder(folder);
  return {};
}

Result<Attachment> MediaStore::add(const QByteArray& bytes, const QString& name) const {
  LAVA_TRY(const LoadedPicture picture, check_picture(bytes, name));
  LAVA_CHECK_OK(keep(picture));
  return picture.attachment;
}

Result<Attachment> MediaStore::add_file(const QString& path) const {
  LAVA_TRY(const LoadedPicture picture, load_picture(path));
  LAVA_CHECK_OK(keep(picture));
  return picture.attachment;
}

Result<QByteArray> MediaStore::read(const QString& sha256) const {
  const QString file = path(sha256);
  if (file.isEmpty() || !QFileInfo::exists(file))
    return fail(Error::Kind::not_found, "A picture of this chat is missing", sha256.left(12).toStdString(),
                "Restore a backup of the media folder");
  LAVA_TRY(QByteArray bytes, read_file(file));
  if (hash_of(bytes) != sha256)
    return fail(Error::Kind::invalid, "A picture of this chat is damaged", QDir::toNativeSeparators(file).toStdString(),
                "Restore a backup of the media folder, or add the picture again");
  return bytes;
}

}  // namespace lava::app
