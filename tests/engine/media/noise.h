// The picture that tests/goldens/make_media_cases.py calls noise, and the fixtures of these tests.
#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/media/picture.h"

namespace lava::media::test {

inline Picture noise(int width, int height) {
  Picture picture = blank_picture({width, height}, 0, 0, 0);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        const auto ux = static_cast<uint32_t>(x), uy = static_cast<uint32_t>(y), uc = static_cast<uint32_t>(c);
        const uint32_t mixed = ux * 1103515245u + uy * 747796405u + uc * 277803737u + ux * uy * 1566083941u + 12345u;
        picture.row(y)[3 * x + c] = static_cast<uint8_t>(mixed >> 16);
      }
  return picture;
}

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(LAVA_SOURCE_DIR) / "tests/fixtures/media" / name;
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline Result<Picture> decode(std::string_view bytes, const DecodeLimits& limits = {}) {
  return decode_picture(std::as_bytes(std::span(bytes)), limits);
}

}  // namespace lava::media::test
