#include "engine/io/crc32c.h"

#include <array>
#include <cstring>

#if defined(__aarch64__) && defined(__linux__)
#include <arm_acle.h>
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lava::io {
namespace {

constexpr uint32_t polynomial = 0x82f63b78;  // bits mirrored

// tables[k][b]: what byte b does to the checksum when k more bytes follow it.
constexpr auto tables = [] {
  std::array<std::array<uint32_t, 256>, 8> all{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? polynomial : 0);
    all[0][byte] = value;
  }
  for (size_t k = 1; k < all.size(); ++k)
    for (size_t byte = 0; byte < 256; ++byte) all[k][byte] = all[k - 1][byte] >> 8 ^ all[0][all[k - 1][byte] & 255];
  return all;
}();

uint64_t word_at(const std::byte* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

using Update = uint32_t (*)(uint32_t, std::span<const std::byte>);

uint32_t update_portable(uint32_t value, std::span<const std::byte> bytes) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    const uint64_t word = word_at(bytes.data()) ^ value;
    value = 0;
    for (size_t i = 0; i < 8; ++i) value ^= tables[7 - i][word >> 8 * i & 255];
  }
  for (const std::byte byte : bytes) value = value >> 8 ^ tables[0][(value ^ std::to_integer<uint32_t>(byte)) & 255];
  return value;
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] uint32_t update_here(uint32_t value, std::span<const std::byte> bytes) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) value = static_cast<uint32_t>(_mm_crc32_u64(value, word_at(bytes.data())));
  for (const std::byte byte : bytes) value = _mm_crc32_u8(value, std::to_integer<uint8_t>(byte));
  return value;
}
bool has_instruction() { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__) && defined(__linux__)
[[gnu::target("+crc")]] uint32_t update_here(uint32_t value, std::span<const std::byte> bytes) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) value = __crc32cd(value, word_at(bytes.data()));
  for (const std::byte byte : bytes) value = __crc32cb(value, std::to_integer<uint8_t>(byte));
  return value;
}
bool has_instruction() { return getauxval(AT_HWCAP) & HWCAP_CRC32; }
#else
constexpr Update update_here = update_portable;
bool has_instruction() { return false; }
#endif

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before) {
  static const Update update = has_instruction() ? update_here : update_portable;
  return ~update(~before, bytes);
}

uint32_t crc32c_portable(std::span<const std::byte> bytes, uint32_t before) { return ~update_portable(~before, bytes); }

}  // namespace lava::io
