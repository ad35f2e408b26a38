// image://media/<sha256>: stored pictures, decoded by the engine's reader and scaled on worker threads.
#pragma once
#include <QQuickAsyncImageProvider>
#include <QThreadPool>

#include "app/media/media_store.h"

namespace lava::ui {

// Decodes and shrinks to fit `most` (never enlarges; an empty size keeps all pixels). Any thread.
Result<QImage> decode_image(const QByteArray& bytes, const QSize& most);

class PictureProvider : public QQuickAsyncImageProvider {
 public:
  explicit PictureProvider(const app::MediaStore& media);
  ~PictureProvider() override;
  QQuickImageResponse* requestImageResponse(const QString& id, const QSize& requested) override;

 private:
  const app::MediaStore& media_;
  QThreadPool pool_;
};

}  // namespace lava::ui
