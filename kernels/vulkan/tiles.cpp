#include "kernels/vulkan/tiles.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace lava::vulkan {

Result<Limits> played_limits(const Limits& device, std::string_view wish) {
  if (wish.empty()) return device;
  std::array<uint32_t, 3> numbers{};
  const char *at = wish.data(), *const end = at + wish.size();
  bool read = true;
  for (size_t i = 0; i < numbers.size() && read; ++i) {
    if (i > 0) read = at != end && *at++ == ',';
    const auto [next, error] = std::from_chars(at, end, numbers[i]);
    read = read && error == std::errc{};
    at = next;
  }
  const auto [invocations, kib, subgroup] = numbers;
  const Limits least;
  const bool possible = invocations >= least.invocations && kib >= least.shared_bytes / 1024 && kib <= 1024 && subgroup >= 1 && subgroup <= 128;
  if (!read || at != end || !possible) {
    return fail(Error::Kind::invalid, "LAVASCOPE_VULKAN_LIMITS cannot be used", std::string(wish) + " is not \"invocations,KiB,subgroup\" of at least 128,16,1",
                "Set it to 128,16,32, or not at all");
  }
  return Limits{invocations, kib * 1024, subgroup};
}

Tiles choose_tiles(const Limits& limits) {
  Tiles tiles;
  tiles.threads = limits.invocations >= 256 ? 256 : 128;
  tiles.shared_bytes = limits.shared_bytes;
  // Tall tiles read weights less often, but two of them should find room in what stands behind the limit; a device that gives one workgroup
  // 48 KiB has more in all.
  constexpr uint32_t roomy = 48 << 10;
  constexpr GemmTile candidates[] = {{256, 128, 64}, {256, 64, 64}, {128, 32, 64}};
  for (const GemmTile& tile : candidates) {
    if (tile.rows > 64 && limits.shared_bytes < roomy) continue;
    if (tile.threads > limits.invocations || tile.shared_bytes() > limits.shared_bytes) continue;
    tiles.gemm = tile;
    break;
  }
  // A wide subgroup would stand idle by half over 32 keys.
  if (limits.subgroup >= 64 && attention_bytes(tiles.attention_queries, 64) <= limits.shared_bytes) tiles.attention_keys = 64;
  tiles.attention_least = std::min(tiles.threads, std::max(tiles.attention_keys, limits.subgroup));
  return tiles;
}

GemmTile gemm_tile(const Tiles& tiles, int64_t rows) {
  GemmTile tile = tiles.gemm;
  const uint32_t least = 2 * tile.threads / 16;  // two rows per invocation
  while (tile.rows > least && rows <= tile.rows / 2) tile.rows /= 2;
  return tile;
}

}  // namespace lava::vulkan
