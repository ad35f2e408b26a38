#include <cstring>

#include "engine/media/scan.h"

namespace lava::media {
namespace {

constexpr auto format = PictureFormat::jpeg;

// Markers: ITU-T T.81, table B.1.
bool stands_alone(uint8_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }
bool is_frame(uint8_t marker) { return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC; }

Result<void> read_frame(uint8_t marker, Bytes segment, SourceInfo& info) {
  if (marker > 0xC2) return not_read(format, "it is lossless, hierarchical or arithmetically coded");
  const auto precision = byte_at(segment, 0), components = byte_at(segment, 5);
  const auto height = big(segment, 1, 2), width = big(segment, 3, 2);
  if (!precision || !height || !width || !components) return damaged(format, "its frame header is too short");
  if (*precision != 8) return not_read(format, "it has more than 8 bits per colour");
  if (*width == 0 || *height == 0) return not_read(format, "its size is not in its header");
  if (*components != 1 && *components != 3 && *components != 4) return not_read(format, "it has an unusual number of colours");
  info.stored = {static_cast<int>(*width), static_cast<int>(*height)};
  return {};
}

// Tables of codes (T.81, B.2.4.2). More than 256 codes in one overrun the tables of decoders, stb_image's among them.
Result<void> check_codes(Bytes segment) {
  for (size_t at = 0; at < segment.size();) {
    size_t codes = 0;
    for (size_t i = 1; i <= 16; ++i) codes += byte_at(segment, at + i).value_or(0);
    if (segment.size() - at < 17 || codes > 256 || codes > segment.size() - at - 17)
      return damaged(format, "a table of codes is impossible");
    at += 17 + codes;
  }
  return {};
}

// The next marker after coded pixels, which hold FF only before 00 and restart marks.
size_t skip_coded(Bytes file, size_t at) {
  while (at + 1 < file.size()) {
    const void* found = std::memchr(file.data() + at, 0xFF, file.size() - 1 - at);
    if (!found) break;
    at = static_cast<size_t>(static_cast<const std::byte*>(found) - file.data());
    const auto next = *byte_at(file, at + 1);
    if (next != 0x00 && next != 0xFF && !(next >= 0xD0 && next <= 0xD7)) return at;
    at += next == 0xFF ? 1 : 2;
  }
  return file.size();
}

}  // namespace

Result<SourceInfo> scan_jpeg(Bytes file, Depth depth) {
  SourceInfo info;
  info.format = format;
  bool turned = false, pixels = false;
  for (size_t at = 2;;) {
    const auto mark = byte_at(file, at), marker = byte_at(file, at + 1);
    if (!mark || !marker) return ends_early(format);
    if (*mark != 0xFF) return damaged(format, "a marker is missing");
    if (*marker == 0xFF) {
      ++at;  // fill byte
      continue;
    }
    if (*marker == 0xD9) break;
    if (stands_alone(*marker)) {
      at += 2;
      continue;
    }
    const auto length = big(file, at + 2, 2);
    if (!length) return ends_early(format);
    if (*length < 2) return damaged(format, "a segment has an impossible length");
    if (*length > file.size() - at - 2) return ends_early(format);
    const Bytes segment = file.subspan(at + 4, *length - 2);
    if (*marker == 0xE1 && !turned && starts_with(segment, 0, std::string_view("Exif\0\0", 6))) {
      info.orientation = exif_orientation(segment.subspan(6));
      turned = true;
    }
    if (is_frame(*marker)) LAVA_CHECK_OK(read_frame(*marker, segment, info));
    if (*marker == 0xC4) LAVA_CHECK_OK(check_codes(segment));
    at += 2 + *length;
    if (*marker != 0xDA) continue;
    pixels = true;
    if (depth == Depth::header) break;
    at = skip_coded(file, at);
  }
  if (info.stored.width == 0 || !pixels) return damaged(format, "it has no pixels");
  return info;
}

}  // namespace lava::media
