#include "app/cli/label_font.h"

#include <QFile>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <span>

#define STBTT_STATIC
#define STB_TRUETYPE_IMPLEMENTATION
#include <stb/stb_truetype.h>

namespace lava::app {

std::span<const unsigned char> label_font_file();  // generated from font/labels.ttf

namespace {

// Letters of scripts that the bundled font lacks; the first that exists is used.
constexpr const char* system_fonts[] = {
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", "/usr/share/fonts/truetype/droid/DroidSansFallback.ttf",
    "/usr/share/fonts/truetype/unifont/unifont.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"};

struct Face {
  stbtt_fontinfo info{};
  QByteArray bytes;
  float scale = 0;
};

struct Bitmap {
  unsigned char* pixels = nullptr;
  int width = 0, height = 0, left = 0, top = 0;
  ~Bitmap() { std::free(pixels); }
};

}  // namespace

void blend(media::Picture& picture, int x, int y, Colour colour, float alpha) {
  if (x < 0 || y < 0 || x >= picture.width || y >= picture.height || !(alpha > 0)) return;
  alpha = std::min(alpha, 1.0f);
  uint8_t* pixel = picture.row(y) + static_cast<size_t>(x) * 3;
  for (int c = 0; c < 3; ++c) pixel[c] = static_cast<uint8_t>(std::lround(pixel[c] + (colour[c] - pixel[c]) * alpha));
}

struct LabelFont::Faces {
  std::vector<std::unique_ptr<Face>> faces;

  void add(QByteArray bytes, float pixels) {
    auto face = std::make_unique<Face>();
    face->bytes = std::move(bytes);
    const auto* data = reinterpret_cast<const unsigned char*>(face->bytes.constData());
    if (!stbtt_InitFont(&face->info, data, stbtt_GetFontOffsetForIndex(data, 0))) return;
    face->scale = stbtt_ScaleForPixelHeight(&face->info, pixels);
    faces.push_back(std::move(face));
  }

  // The first face that has the letter, else the first face with its sign for a missing one.
  std::pair<const Face*, int> glyph(char32_t letter) const {
    for (const auto& face : faces)
      if (const int index = stbtt_FindGlyphIndex(&face->info, static_cast<int>(letter))) return {face.get(), index};
    return {faces.front().get(), 0};
  }
};

LabelFont::LabelFont(float pixels) : faces_(std::make_unique<Faces>()) {
  const auto bundled = label_font_file();
  faces_->add(QByteArray(reinterpret_cast<const char*>(bundled.data()), static_cast<qsizetype>(bundled.size())), pixels);
  for (const char* path : system_fonts) {
    QFile file(path);
    if (faces_->faces.size() > 1 || !file.open(QFile::ReadOnly)) continue;
    faces_->add(file.readAll(), pixels);
  }
}

LabelFont::~LabelFont() = default;

float LabelFont::width(const QString& text) const {
  float width = 0;
  for (const char32_t letter : text.toStdU32String()) {
    const auto [face, index] = faces_->glyph(letter);
    int advance = 0, bearing = 0;
    stbtt_GetGlyphHMetrics(&face->info, index, &advance, &bearing);
    width += static_cast<float>(advance) * face->scale;
  }
  return width;
}

float LabelFont::cap_height() const {
  const Face& face = *faces_->faces.front();
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  stbtt_GetGlyphBox(&face.info, stbtt_FindGlyphIndex(&face.info, 'H'), &x0, &y0, &x1, &y1);
  return static_cast<float>(y1) * face.scale;
}

void LabelFont::draw(media::Picture& picture, float x, float baseline, const QString& text, Colour ink) const {
  for (const char32_t letter : text.toStdU32String()) {
    const auto [face, index] = faces_->glyph(letter);
    const float whole = std::floor(x);
    Bitmap bitmap;
    bitmap.pixels = stbtt_GetGlyphBitmapSubpixel(&face->info, face->scale, face->scale, x - whole, 0, index, &bitmap.width, &bitmap.height,
                                                 &bitmap.left, &bitmap.top);
    for (int row = 0; bitmap.pixels && row < bitmap.height; ++row)
      for (int column = 0; column < bitmap.width; ++column)
        blend(picture, static_cast<int>(whole) + bitmap.left + column, static_cast<int>(std::lround(baseline)) + bitmap.top + row, ink,
              static_cast<float>(bitmap.pixels[row * bitmap.width + column]) / 255.0f);
    int advance = 0, bearing = 0;
    stbtt_GetGlyphHMetrics(&face->info, index, &advance, &bearing);
    x += static_cast<float>(advance) * face->scale;
  }
}

}  // namespace lava::app
