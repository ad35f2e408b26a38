// SHA-256 (FIPS 180-4): names of pictures in caches and stores.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace lava::media {

class Sha256 {
 public:
  void add(std::span<const std::byte> bytes);
  std::array<uint8_t, 32> finish();  // once

 private:
  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> rest_{};
  uint64_t length_ = 0;
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace lava::media
