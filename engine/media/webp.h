// WebP through libwebp.
#pragma once
#include "engine/media/scan.h"

namespace lava::media {

// Straight RGBA; the size must be that of the scan.
Result<std::vector<uint8_t>> decode_webp(Bytes file, const SourceInfo& info);

}  // namespace lava::media
