#include <algorithm>

#include "engine/media/scan.h"

namespace lava::media {
namespace {

// GIF: the end of a chain of sub-blocks, or nullopt when the file ends first.
std::optional<size_t> skip_blocks(Bytes file, size_t at) {
  for (;;) {
    const auto length = byte_at(file, at);
    if (!length) return std::nullopt;
    at += 1 + size_t{*length};
    if (*length == 0) return at;
  }
}

size_t colour_table_bytes(uint8_t flags) { return flags & 0x80 ? size_t{3} << ((flags & 7) + 1) : 0; }

// PNM: the next number of a header, where # starts a remark.
std::optional<uint32_t> header_number(Bytes file, size_t& at) {
  for (auto c = byte_at(file, at); c && (*c == '#' || *c <= ' '); c = byte_at(file, at)) {
    if (*c == '#')
      while (byte_at(file, at) && byte_at(file, at) != '\n') ++at;
    else
      ++at;
  }
  uint32_t value = 0;
  int digits = 0;
  for (auto c = byte_at(file, at); c && *c >= '0' && *c <= '9'; c = byte_at(file, ++at)) {
    if (++digits > 9) return std::nullopt;
    value = value * 10 + (*c - '0');
  }
  return digits > 0 ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<SourceInfo> scan_gif(Bytes file, Depth depth) {
  constexpr auto format = PictureFormat::gif;
  SourceInfo info;
  info.format = format;
  info.alpha = true;  // pixels that the first frame leaves out are transparent
  const auto width = little(file, 6, 2), height = little(file, 8, 2), flags = little(file, 10, 2);
  if (!width || !height || !flags) return ends_early(format);
  if (*width == 0 || *height == 0) return damaged(format, "its size is impossible");
  info.stored = {static_cast<int>(*width), static_cast<int>(*height)};
  if (depth == Depth::header) return info;
  for (size_t at = 13 + colour_table_bytes(static_cast<uint8_t>(*flags));;) {
    const auto kind = byte_at(file, at);
    if (!kind) return ends_early(format);
    if (*kind == 0x3B) return damaged(format, "it has no pixels");
    if (*kind != 0x21 && *kind != 0x2C) return damaged(format, "a block is of an unknown kind");
    const bool frame = *kind == 0x2C;
    const auto local = frame ? byte_at(file, at + 9) : std::optional<uint8_t>(0);
    if (!local) return ends_early(format);
    const auto end = skip_blocks(file, frame ? at + 11 + colour_table_bytes(*local) : at + 2);
    if (!end) return ends_early(format);
    if (frame) return info;
    at = *end;
  }
}

Result<SourceInfo> scan_bmp(Bytes file, Depth) {
  constexpr auto format = PictureFormat::bmp;
  const auto start = little(file, 10, 4), header = little(file, 14, 4);
  if (!start || !header) return ends_early(format);
  if (*header != 12 && *header != 40 && *header != 56 && *header != 108 && *header != 124)
    return not_read(format, "its header is of an unknown kind");
  const bool core = *header == 12;
  const auto width = core ? little(file, 18, 2) : little(file, 18, 4), height = core ? little(file, 20, 2) : little(file, 22, 4);
  const auto bits = little(file, core ? 24 : 28, 2), compression = core ? std::optional(0u) : little(file, 30, 4);
  if (!width || !height || !bits || !compression) return ends_early(format);
  const int64_t w = static_cast<int32_t>(*width), h = static_cast<int32_t>(*height);  // a negative height: top row first
  if (w <= 0 || h == 0 || h == INT32_MIN) return damaged(format, "its size is impossible");
  if (*compression != 0 && *compression != 3) return not_read(format, "it is compressed");
  const int64_t rows = h < 0 ? -h : h, row = (w * *bits + 31) / 32 * 4;
  if (int64_t{*start} + row * rows > static_cast<int64_t>(file.size())) return ends_early(format);
  SourceInfo info;
  info.format = format;
  info.stored = {static_cast<int>(w), static_cast<int>(rows)};
  return info;
}

Result<SourceInfo> scan_pnm(Bytes file, Depth) {
  constexpr auto format = PictureFormat::pnm;
  size_t at = 2;
  const auto width = header_number(file, at), height = header_number(file, at), most = header_number(file, at);
  if (!width || !height || !most) return damaged(format, "its header is incomplete");
  if (*width == 0 || *height == 0 || *most == 0 || *most > 65535) return damaged(format, "its size is impossible");
  const uint64_t per_pixel = (starts_with(file, 0, "P6") ? 3u : 1u) * (*most > 255 ? 2u : 1u);
  if (uint64_t{*width} * *height * per_pixel > file.size() - std::min(file.size(), at + 1)) return ends_early(format);
  SourceInfo info;
  info.format = format;
  info.stored = {static_cast<int>(*width), static_cast<int>(*height)};
  return info;
}

}  // namespace lava::media
