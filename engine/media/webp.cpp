#include "engine/media/webp.h"

#include <webp/decode.h>

namespace lava::media {
namespace {

constexpr auto format = PictureFormat::webp;

const uint8_t* data_of(Bytes file) { return reinterpret_cast<const uint8_t*>(file.data()); }

// The turn stands in a chunk behind the pixels, with or without the mark that JPEG puts before it.
int find_orientation(Bytes file) {
  for (size_t at = 12;;) {
    const auto length = little(file, at + 4, 4);
    if (!length || *length > file.size() - at - 8) return 1;
    if (starts_with(file, at, "EXIF")) {
      const Bytes chunk = file.subspan(at + 8, *length);
      return exif_orientation(starts_with(chunk, 0, std::string_view("Exif\0\0", 6)) ? chunk.subspan(6) : chunk);
    }
    at += 8 + size_t{*length} + (*length & 1);
  }
}

}  // namespace

Result<SourceInfo> scan_webp(Bytes file, Depth depth) {
  const auto length = little(file, 4, 4);
  if (!length) return ends_early(format);
  if (depth == Depth::whole && size_t{*length} + 8 > file.size()) return ends_early(format);
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(data_of(file), file.size(), &features);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) return ends_early(format);
  if (status != VP8_STATUS_OK || features.width <= 0 || features.height <= 0) return damaged(format, "its header cannot be read");
  if (features.has_animation) return not_read(format, "it is animated");
  SourceInfo info;
  info.format = format;
  info.stored = {features.width, features.height};
  info.alpha = features.has_alpha != 0;
  info.orientation = find_orientation(file);
  return info;
}

Result<std::vector<uint8_t>> decode_webp(Bytes file, const SourceInfo& info) {
  const auto row = static_cast<size_t>(info.stored.width) * 4;
  std::vector<uint8_t> rgba(row * static_cast<size_t>(info.stored.height));
  if (!WebPDecodeRGBAInto(data_of(file), file.size(), rgba.data(), rgba.size(), static_cast<int>(row)))
    return damaged(format, "its pixels cannot be decoded");
  return rgba;
}

}  // namespace lava::media
