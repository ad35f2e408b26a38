#include "ui/items/picture_provider.h"

#include <QImage>
#include <QMutex>

#include "engine/media/picture.h"

namespace lava::ui {
namespace {

class Response : public QQuickImageResponse, public QRunnable {
 public:
  Response(const app::MediaStore& media, const QString& sha256, const QSize& requested) : media_(media), sha256_(sha256), requested_(requested) {
    setAutoDelete(false);  // the view deletes it once finished() arrived
  }

  void run() override {
    if (!cancelled_) load();
    emit finished();
  }

  QQuickTextureFactory* textureFactory() const override { return QQuickTextureFactory::textureFactoryForImage(image_); }
  QString errorString() const override { return error_; }
  void cancel() override { cancelled_ = true; }

 private:
  void load() {
    const auto bytes = media_.read(sha256_);
    if (!bytes) {
      error_ = QString::fromStdString(bytes.error().message());
      return;
    }
    auto image = decode_image(*bytes, requested_);
    if (image) image_ = std::move(*image);
    else error_ = QString::fromStdString(image.error().message());
  }

  const app::MediaStore& media_;
  QString sha256_, error_;
  QSize requested_;
  QImage image_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

Result<QImage> decode_image(const QByteArray& bytes, const QSize& most) {
  LAVA_TRY(const media::Picture picture, media::decode_picture(std::as_bytes(std::span(bytes.constData(), static_cast<size_t>(bytes.size())))));
  const QImage view(picture.rgb.data(), picture.width, picture.height, static_cast<qsizetype>(picture.width) * 3, QImage::Format_RGB888);
  const bool fits = most.isEmpty() || (view.width() <= most.width() && view.height() <= most.height());
  return fits ? view.convertToFormat(QImage::Format_RGB32) : view.scaled(most, Qt::KeepAspectRatio, Qt::SmoothTransformation).convertToFormat(QImage::Format_RGB32);
}

PictureProvider::PictureProvider(const app::MediaStore& media) : media_(media) {
  pool_.setMaxThreadCount(2);
}

PictureProvider::~PictureProvider() {
  pool_.clear();
  pool_.waitForDone();
}

QQuickImageResponse* PictureProvider::requestImageResponse(const QString& id, const QSize& requested) {
  auto* response = new Response(media_, id.section('?', 0, 0), requested);
  pool_.start(response);
  return response;
}

}  // namespace lava::ui
