// What the containers of pictures say before anything is decoded: size, turn, alpha, and whether the file is whole.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/media/picture.h"
#include "kernels/result.h"

namespace lava::media {

using Bytes = std::span<const std::byte>;

// Checked reads: nullopt beyond the end.
inline std::optional<uint8_t> byte_at(Bytes bytes, size_t at) {
  return at < bytes.size() ? std::optional(std::to_integer<uint8_t>(bytes[at])) : std::nullopt;
}
std::optional<uint32_t> little(Bytes bytes, size_t at, int width);  // width 2 or 4
std::optional<uint32_t> big(Bytes bytes, size_t at, int width);
bool starts_with(Bytes bytes, size_t at, std::string_view text);

std::optional<PictureFormat> sniff(Bytes file);

// Depth::header stops when the size is known; Depth::whole walks to the end of the picture and refuses files that end early.
enum class Depth : uint8_t { header, whole };
Result<SourceInfo> scan_png(Bytes file, Depth depth);
Result<SourceInfo> scan_jpeg(Bytes file, Depth depth);
Result<SourceInfo> scan_webp(Bytes file, Depth depth);
Result<SourceInfo> scan_gif(Bytes file, Depth depth);
Result<SourceInfo> scan_bmp(Bytes file, Depth depth);
Result<SourceInfo> scan_pnm(Bytes file, Depth depth);

// Orientation 1 to 8 of a TIFF block; 1 when it says nothing usable.
int exif_orientation(Bytes tiff);

tl::unexpected<Error> ends_early(PictureFormat format);
tl::unexpected<Error> damaged(PictureFormat format, std::string cause);
tl::unexpected<Error> not_read(PictureFormat format, std::string cause);

}  // namespace lava::media
