// Pictures in memory, and how encoded files become them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "engine/media/geometry.h"
#include "kernels/result.h"

namespace lava::media {

enum class PictureFormat : uint8_t { png, jpeg, webp, gif, bmp, pnm };
std::string_view format_name(PictureFormat format);

// What the file said about itself.
struct SourceInfo {
  PictureFormat format = PictureFormat::png;
  Size stored;          // before turning
  Size upright;         // as people see it
  int orientation = 1;  // EXIF, 1 to 8
  bool alpha = false;   // it was laid on white
};

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;  // [height, width, 3], upright
  SourceInfo source;

  const uint8_t* row(int y) const { return rgb.data() + static_cast<size_t>(y) * static_cast<size_t>(width) * 3; }
  uint8_t* row(int y) { return rgb.data() + static_cast<size_t>(y) * static_cast<size_t>(width) * 3; }
  Size size() const { return {width, height}; }
};

struct DecodeLimits {
  int64_t max_pixels = 100'000'000;
  int max_side = 65'500;
  size_t max_file_bytes = size_t{512} << 20;
};

// The format is told by the content, never by a name. Sizes are checked before anything is decoded. Files that end early are refused.
Result<Picture> decode_picture(std::span<const std::byte> file, const DecodeLimits& limits = {});
Result<Picture> read_picture(const std::filesystem::path& path, const DecodeLimits& limits = {});
// Format and sizes from the header alone.
Result<SourceInfo> picture_info(std::span<const std::byte> file, const DecodeLimits& limits = {});
// It starts like one of the formats.
bool looks_like_picture(std::span<const std::byte> file);

Picture blank_picture(Size size, uint8_t red, uint8_t green, uint8_t blue);
// Written under another name first, then renamed.
Result<void> write_png(const std::filesystem::path& path, const Picture& picture);
Result<std::vector<std::byte>> encode_png(const Picture& picture);

}  // namespace lava::media
