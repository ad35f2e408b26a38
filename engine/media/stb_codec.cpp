#include "engine/media/stb_codec.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

// Ceiling of one allocation while a picture is decoded: compressed data that unfolds to more than the header promised stops there.
thread_local size_t allocation_limit = 0;

void* limited_malloc(size_t bytes) { return bytes <= allocation_limit ? std::malloc(bytes) : nullptr; }
void* limited_realloc(void* old, size_t bytes) { return bytes <= allocation_limit ? std::realloc(old, bytes) : nullptr; }

}  // namespace

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#define STBI_MALLOC(bytes) limited_malloc(bytes)
#define STBI_REALLOC(old, bytes) limited_realloc(old, bytes)
#define STBI_FREE(old) std::free(old)
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_GIF
#define STBI_ONLY_BMP
#define STBI_ONLY_PNM
#define STBI_MAX_DIMENSIONS 1000000
#include <stb/stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace lava::media {

Result<std::vector<uint8_t>> decode_stb(Bytes file, const SourceInfo& info, int channels) {
  const size_t pixels = static_cast<size_t>(info.stored.width) * static_cast<size_t>(info.stored.height);
  if (file.size() > INT_MAX || pixels > INT_MAX / 8) return fail(Error::Kind::too_large, "The picture is too large");
  // 16-bit RGBA with a filter byte per row is the most that a picture of this size can need; blocks of JPEG round up to 16.
  allocation_limit =
      (pixels + static_cast<size_t>(info.stored.height) + static_cast<size_t>(info.stored.width) * 16) * 8 + (size_t{4} << 20);
  int width = 0, height = 0, found = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> decoded(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(file.data()), static_cast<int>(file.size()), &width, &height, &found,
                            channels),
      stbi_image_free);
  if (!decoded) {
    const char* reason = stbi_failure_reason();
    if (reason && std::strcmp(reason, "outofmem") == 0)
      return fail(Error::Kind::out_of_memory, "There is not enough memory for the picture");
    return damaged(info.format, reason ? reason : "its pixels cannot be decoded");
  }
  if (Size{width, height} != info.stored) return damaged(info.format, "it contradicts itself about its size");
  return std::vector<uint8_t>(decoded.get(), decoded.get() + pixels * static_cast<size_t>(channels));
}

Result<std::vector<std::byte>> encode_png_stb(const Picture& picture) {
  std::vector<std::byte> out;
  const auto append = [](void* context, void* data, int size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    auto& target = *static_cast<std::vector<std::byte>*>(context);
    target.insert(target.end(), bytes, bytes + std::max(size, 0));
  };
  if (picture.width <= 0 || picture.height <= 0 || picture.rgb.size() > INT_MAX / 2)
    return fail(Error::Kind::too_large, "The picture is too large to be written");
  if (!stbi_write_png_to_func(append, &out, picture.width, picture.height, 3, picture.rgb.data(), picture.width * 3))
    return fail(Error::Kind::out_of_memory, "There is not enough memory to write the picture");
  return out;
}

}  // namespace lava::media
