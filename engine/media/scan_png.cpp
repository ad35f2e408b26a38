#include <array>

#include "engine/media/scan.h"

namespace lava::media {
namespace {

constexpr auto format = PictureFormat::png;

constexpr std::array<uint32_t, 256> crc_table = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? 0xEDB88320u ^ value >> 1 : value >> 1;
    table[i] = value;
  }
  return table;
}();

uint32_t crc(Bytes bytes) {
  uint32_t value = ~0u;
  for (const std::byte b : bytes) value = crc_table[(value ^ std::to_integer<uint32_t>(b)) & 255] ^ value >> 8;
  return ~value;
}

struct Chunk {
  std::string_view type;
  Bytes data;
  size_t next = 0;  // where the following chunk starts
};

Result<Chunk> chunk_at(Bytes file, size_t at) {
  const auto length = big(file, at, 4);
  if (!length) return ends_early(format);
  if (*length > 0x7FFFFFFF) return damaged(format, "a chunk has an impossible length");
  if (file.size() - at < 12 || *length > file.size() - at - 12) return ends_early(format);
  return Chunk{std::string_view(reinterpret_cast<const char*>(file.data()) + at + 4, 4), file.subspan(at + 8, *length), at + 12 + *length};
}

bool intact(Bytes file, size_t at, const Chunk& chunk) {
  return crc(file.subspan(at + 4, chunk.data.size() + 4)) == big(file, chunk.next - 4, 4);
}

Result<SourceInfo> read_head(const Chunk& head) {
  if (head.type != "IHDR" || head.data.size() != 13) return damaged(format, "it does not start with its size");
  const auto width = *big(head.data, 0, 4), height = *big(head.data, 4, 4);
  if (width == 0 || height == 0 || width > 0x7FFFFFFF || height > 0x7FFFFFFF) return damaged(format, "its size is impossible");
  SourceInfo info;
  info.format = format;
  info.stored = {static_cast<int>(width), static_cast<int>(height)};
  info.alpha = (*byte_at(head.data, 9) & 4) != 0;
  return info;
}

}  // namespace

Result<SourceInfo> scan_png(Bytes file, Depth depth) {
  size_t at = 8;
  LAVA_TRY(const Chunk head, chunk_at(file, at));
  LAVA_TRY(SourceInfo info, read_head(head));
  if (!intact(file, at, head)) return damaged(format, "the checksum of IHDR is wrong");
  bool pixels = false;
  for (at = head.next;;) {
    const auto chunk = chunk_at(file, at);
    if (!chunk && depth == Depth::header) return info;  // what stands before the gap is known
    if (!chunk) return tl::unexpected<Error>(chunk.error());
    if (depth == Depth::whole && !intact(file, at, *chunk)) return damaged(format, "a checksum is wrong");
    if (chunk->type == "tRNS") info.alpha = true;
    if (chunk->type == "eXIf") info.orientation = exif_orientation(chunk->data);
    if (chunk->type == "IDAT") pixels = true;
    if (chunk->type == "IEND") break;
    at = chunk->next;
  }
  if (!pixels) return damaged(format, "it has no pixels");
  return info;
}

}  // namespace lava::media
