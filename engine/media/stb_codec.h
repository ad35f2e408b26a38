// PNG, JPEG, GIF, BMP and PNM through stb_image; PNG writing through stb_image_write.
#pragma once
#include "engine/media/scan.h"

namespace lava::media {

// Straight 8-bit pixels with `channels` (3 or 4) colours; the size must be that of the scan.
Result<std::vector<uint8_t>> decode_stb(Bytes file, const SourceInfo& info, int channels);
Result<std::vector<std::byte>> encode_png_stb(const Picture& picture);

}  // namespace lava::media
