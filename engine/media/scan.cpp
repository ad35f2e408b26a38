#include "engine/media/scan.h"

#include <fmt/format.h>

#include <cstring>

namespace lava::media {

std::string_view format_name(PictureFormat format) {
  constexpr std::string_view names[] = {"PNG", "JPEG", "WebP", "GIF", "BMP", "PNM"};
  return names[static_cast<size_t>(format)];
}

std::optional<uint32_t> little(Bytes bytes, size_t at, int width) {
  if (at > bytes.size() || bytes.size() - at < static_cast<size_t>(width)) return std::nullopt;
  uint32_t value = 0;
  for (int i = width - 1; i >= 0; --i) value = value << 8 | std::to_integer<uint32_t>(bytes[at + static_cast<size_t>(i)]);
  return value;
}

std::optional<uint32_t> big(Bytes bytes, size_t at, int width) {
  if (at > bytes.size() || bytes.size() - at < static_cast<size_t>(width)) return std::nullopt;
  uint32_t value = 0;
  for (int i = 0; i < width; ++i) value = value << 8 | std::to_integer<uint32_t>(bytes[at + static_cast<size_t>(i)]);
  return value;
}

bool starts_with(Bytes bytes, size_t at, std::string_view text) {
  return at <= bytes.size() && bytes.size() - at >= text.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

std::optional<PictureFormat> sniff(Bytes file) {
  if (starts_with(file, 0, "\x89PNG\r\n\x1a\n")) return PictureFormat::png;
  if (starts_with(file, 0, "\xff\xd8\xff")) return PictureFormat::jpeg;
  if (starts_with(file, 0, "RIFF") && starts_with(file, 8, "WEBP")) return PictureFormat::webp;
  if (starts_with(file, 0, "GIF87a") || starts_with(file, 0, "GIF89a")) return PictureFormat::gif;
  if (starts_with(file, 0, "BM") && file.size() >= 26) return PictureFormat::bmp;
  const auto third = byte_at(file, 2);
  const bool blank = third && (*third == ' ' || *third == '\n' || *third == '\r' || *third == '\t');
  if (blank && (starts_with(file, 0, "P5") || starts_with(file, 0, "P6"))) return PictureFormat::pnm;
  return std::nullopt;
}

bool looks_like_picture(Bytes file) { return sniff(file).has_value(); }

int exif_orientation(Bytes tiff) {
  const bool is_little = starts_with(tiff, 0, "II");
  if (!is_little && !starts_with(tiff, 0, "MM")) return 1;
  const auto read = [&](size_t at, int width) { return is_little ? little(tiff, at, width) : big(tiff, at, width); };
  const auto directory = read(4, 4);
  if (read(2, 2) != 42u || !directory) return 1;
  const auto count = read(*directory, 2);
  for (uint32_t i = 0; count && i < *count; ++i) {
    const size_t entry = size_t{*directory} + 2 + size_t{i} * 12;
    const auto tag = read(entry, 2);
    if (!tag) return 1;
    if (*tag != 0x0112) continue;
    const auto value = read(entry + 8, 2);
    return read(entry + 2, 2) == 3u && value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

tl::unexpected<Error> ends_early(PictureFormat format) {
  return fail(Error::Kind::invalid, fmt::format("The {} picture ends early", format_name(format)), "a part of the file is missing",
              "Save or download it again");
}

tl::unexpected<Error> damaged(PictureFormat format, std::string cause) {
  return fail(Error::Kind::invalid, fmt::format("The {} picture is damaged", format_name(format)), std::move(cause),
              "Save or download it again");
}

tl::unexpected<Error> not_read(PictureFormat format, std::string cause) {
  return fail(Error::Kind::unsupported, fmt::format("This kind of {} picture is not read", format_name(format)), std::move(cause),
              "Save it as an ordinary PNG or JPEG");
}

}  // namespace lava::media
