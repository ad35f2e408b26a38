#include "ui/window/desktop.h"

#include <QBuffer>
#include <QClipboard>
#include <QDesktopServices>
#include <QDir>
#include <QFile>
#include <QGuiApplication>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMimeData>
#include <QPointer>
#include <QStandardPaths>
#include <QThreadPool>

namespace lava::ui {
namespace {

QList<QUrl> local_files(const QMimeData& data) {
  QList<QUrl> files;
  for (const QUrl& url : data.urls()) {
    if (url.isLocalFile()) files.push_back(url);
  }
  return files;
}

// Packing a large picture takes a while: not on this thread.
void add_image(app::Composer* composer, const QImage& image) {
  QThreadPool::globalInstance()->start([image, target = QPointer<app::Composer>(composer), app = qApp] {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    QMetaObject::invokeMethod(app, [bytes, target] {
      if (target) target->add_bytes(bytes, "Pasted picture");
    });
  });
}

}  // namespace

void Desktop::copy(const QString& text) const {
  QGuiApplication::clipboard()->setText(text);
}

bool Desktop::paste_into(QObject* object) const {
  auto* composer = qobject_cast<app::Composer*>(object);
  const QMimeData* data = QGuiApplication::clipboard()->mimeData();
  if (!composer || !data) return false;
  const QList<QUrl> files = local_files(*data);
  if (!files.isEmpty()) {
    composer->add_files(files);
    return true;
  }
  if (data->hasText() || !data->hasImage()) return false;
  const QImage image = qvariant_cast<QImage>(data->imageData());
  if (image.isNull()) return false;
  add_image(composer, image);
  return true;
}

QString Desktop::host_of(const QString& link) const {
  const QUrl url(link);
  return url.scheme() == "mailto" ? url.path() : url.host();
}

bool Desktop::trusts(const QString& link) const {
  return trusted_.contains(host_of(link));
}

void Desktop::open_link(const QString& link) {
  const QUrl url(link, QUrl::StrictMode);
  trusted_.insert(host_of(link));
  if (url.scheme() == "http" || url.scheme() == "https" || url.scheme() == "mailto") QDesktopServices::openUrl(url);
}

bool Desktop::open_path(const QString& path) const {
  return QFile::exists(path) && QDesktopServices::openUrl(QUrl::fromLocalFile(path));
}

QUrl Desktop::pictures_folder() const {
  const QString folder = QStandardPaths::writableLocation(QStandardPaths::PicturesLocation);
  return QUrl::fromLocalFile(QFile::exists(folder) ? folder : QDir::homePath());
}

QVariantList Desktop::examples() const {
  QFile file(":/lavascope/demo/demo.json");
  if (!file.open(QIODevice::ReadOnly)) return {};
  QVariantList examples;
  for (const QJsonValue& value : QJsonDocument::fromJson(file.readAll()).array()) {
    QVariantMap example = value.toObject().toVariantMap();
    const QString picture = ":/lavascope/demo/" + example["picture"].toString();
    if (!QFile::exists(picture)) continue;
    example["picture"] = picture;
    examples.push_back(example);
  }
  return examples;
}

}  // namespace lava::ui
