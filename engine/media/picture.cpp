#include "engine/media/picture.h"

#include <cerrno>
#include <fmt/format.h>

#include <fstream>
#include <new>

#include "engine/io/mapped_file.h"
#include "engine/media/scan.h"
#include "engine/media/stb_codec.h"
#include "engine/media/webp.h"

namespace lava::media {
namespace {

Result<SourceInfo> scan(Bytes file, const DecodeLimits& limits, Depth depth) {
  if (file.empty()) return fail(Error::Kind::invalid, "The picture file is empty");
  const auto format = sniff(file);
  if (!format)
    return fail(Error::Kind::unsupported, "This is not a picture that can be read", {}, "PNG, JPEG, WebP, GIF, BMP and PNM are read");
  if (file.size() > limits.max_file_bytes)
    return fail(Error::Kind::too_large, "The picture file is too large",
                fmt::format("{} MB, at most {} are read", file.size() >> 20, limits.max_file_bytes >> 20));
  using Scan = Result<SourceInfo> (*)(Bytes, Depth);
  constexpr Scan scans[] = {scan_png, scan_jpeg, scan_webp, scan_gif, scan_bmp, scan_pnm};
  const Scan of_format = scans[static_cast<size_t>(*format)];
  LAVA_TRY(SourceInfo info, of_format(file, Depth::header));
  const auto [width, height] = info.stored;
  if (width > limits.max_side || height > limits.max_side || int64_t{width} * height > limits.max_pixels)
    return fail(Error::Kind::too_large, "The picture is too large",
                fmt::format("{} x {} pixels; read are up to {} megapixels and {} pixels a side", width, height,
                            limits.max_pixels / 1'000'000, limits.max_side),
                "Make it smaller first");
  if (depth == Depth::whole) {
    LAVA_TRY(info, of_format(file, Depth::whole));
  }
  info.upright = info.orientation >= 5 ? Size{height, width} : info.stored;
  return info;
}

// A pixel with alpha `a` on white, in the integer arithmetic of Pillow's alpha_composite.
uint8_t on_white(uint32_t value, uint32_t a) {
  const uint32_t sum = ((value * a + 255 * (255 - a)) << 7) + (0x80 << 7);
  return static_cast<uint8_t>((((sum >> 8) + sum) >> 8) >> 7);
}

std::vector<uint8_t> flatten(const std::vector<uint8_t>& rgba) {
  std::vector<uint8_t> rgb(rgba.size() / 4 * 3);
  for (size_t i = 0, o = 0; i < rgba.size(); i += 4, o += 3)
    for (size_t c = 0; c < 3; ++c) rgb[o + c] = rgba[i + 3] == 255 ? rgba[i + c] : on_white(rgba[i + c], rgba[i + 3]);
  return rgb;
}

// Where the upright pixel (x, y) stands in the stored picture of width w and height h.
std::pair<int, int> stored_place(int orientation, int x, int y, int w, int h) {
  switch (orientation) {
    case 2:
      return {w - 1 - x, y};
    case 3:
      return {w - 1 - x, h - 1 - y};
    case 4:
      return {x, h - 1 - y};
    case 5:
      return {y, x};
    case 6:
      return {y, h - 1 - x};
    case 7:
      return {w - 1 - y, h - 1 - x};
    case 8:
      return {w - 1 - y, x};
    default:
      return {x, y};
  }
}

void turn_upright(Picture& picture) {
  const SourceInfo& source = picture.source;
  if (source.orientation == 1) return;
  Picture turned = blank_picture(source.upright, 0, 0, 0);
  for (int y = 0; y < turned.height; ++y) {
    uint8_t* out = turned.row(y);
    for (int x = 0; x < turned.width; ++x, out += 3) {
      const auto [sx, sy] = stored_place(source.orientation, x, y, source.stored.width, source.stored.height);
      const uint8_t* from = picture.row(sy) + 3 * sx;
      out[0] = from[0], out[1] = from[1], out[2] = from[2];
    }
  }
  turned.source = source;
  picture = std::move(turned);
}

Result<Picture> decode(Bytes file, const DecodeLimits& limits) {
  LAVA_TRY(const SourceInfo info, scan(file, limits, Depth::whole));
  Picture picture;
  picture.source = info;
  picture.width = info.stored.width;
  picture.height = info.stored.height;
  if (info.format == PictureFormat::webp) {
    LAVA_TRY(const auto rgba, decode_webp(file, info));
    picture.rgb = flatten(rgba);
  } else if (info.alpha) {
    LAVA_TRY(const auto rgba, decode_stb(file, info, 4));
    picture.rgb = flatten(rgba);
  } else {
    LAVA_TRY(picture.rgb, decode_stb(file, info, 3));
  }
  turn_upright(picture);
  return picture;
}

}  // namespace

Result<Picture> decode_picture(Bytes file, const DecodeLimits& limits) {
  try {
    return decode(file, limits);
  } catch (const std::bad_alloc&) {
    return fail(Error::Kind::out_of_memory, "There is not enough memory for the picture", {}, "Make it smaller or close other programs");
  }
}

Result<Picture> read_picture(const std::filesystem::path& path, const DecodeLimits& limits) {
  LAVA_TRY(const io::MappedFile file, io::MappedFile::open(path));
  return decode_picture(file.bytes(), limits);
}

Result<SourceInfo> picture_info(Bytes file, const DecodeLimits& limits) { return scan(file, limits, Depth::header); }

Picture blank_picture(Size size, uint8_t red, uint8_t green, uint8_t blue) {
  Picture picture;
  picture.width = size.width;
  picture.height = size.height;
  picture.rgb.resize(static_cast<size_t>(size.width) * static_cast<size_t>(size.height) * 3);
  for (size_t i = 0; i < picture.rgb.size(); i += 3) picture.rgb[i] = red, picture.rgb[i + 1] = green, picture.rgb[i + 2] = blue;
  picture.source.stored = picture.source.upright = size;
  return picture;
}

Result<std::vector<std::byte>> encode_png(const Picture& picture) {
  try {
    return encode_png_stb(picture);
  } catch (const std::bad_alloc&) {
    return fail(Error::Kind::out_of_memory, "There is not enough memory to write the picture");
  }
}

namespace {

// Nothing half written stays, least of all on a disk that is full.
tl::unexpected<Error> cannot_write(const std::filesystem::path& path, const std::filesystem::path& part, std::error_code why) {
  std::error_code ignored;
  std::filesystem::remove(part, ignored);
  return fail(Error::Kind::io, "The picture cannot be written", path.string() + ": " + why.message(), "Check the folder and the free space");
}

}  // namespace

Result<void> write_png(const std::filesystem::path& path, const Picture& picture) {
  LAVA_TRY(const auto bytes, encode_png(picture));
  std::filesystem::path part = path;
  part += ".part";
  {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) return cannot_write(path, part, std::error_code(errno, std::generic_category()));
  }
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (error) return cannot_write(path, part, error);
  return {};
}

}  // namespace lava::media
