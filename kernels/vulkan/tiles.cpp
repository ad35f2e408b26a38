#include "kernels/vulkan/tiles.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>

namespace lava::vulkan {

namespace {

// "a,b,c"
std::optional<std::array<uint32_t, 3>> three_numbers(std::string_view text) {
  std::array<uint32_t, 3> numbers{};
  const char *at = text.data(), *const end = at + text.size();
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0 && (at == end || *at++ != ',')) return std::nullopt;
    const auto [next, error] = std::from_chars(at, end, numbers[i]);
    if (error != std::errc{}) return std::nullopt;
    at = next;
  }
  return at == end ? std::optional(numbers) : std::nullopt;
}

}  // namespace

Result<Limits> played_limits(const Limits& device, std::string_view wish) {
  if (wish.empty()) return device;
  const auto numbers = three_numbers(wish);
  const auto [invocations, kib, subgroup] = numbers.value_or(std::array<uint32_t, 3>{});
  const Limits least;
  const bool possible = invocations >= least.invocations && kib >= least.shared_bytes / 1024 && kib <= 1024 && subgroup >= 1 && subgroup <= 128;
  if (!possible) {
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

bool possible(const MatrixShape& shape) {
  const auto side = [](uint32_t n) { return n >= 4 && n <= 32 && std::has_single_bit(n); };
  return side(shape.m) && side(shape.n) && side(shape.k);
}

Result<std::vector<MatrixShape>> played_shapes(std::vector<MatrixShape> device, std::string_view wish) {
  if (wish.empty() || wish == "1") return device;
  if (wish == "0") return std::vector<MatrixShape>{};
  const auto [m, n, k] = three_numbers(wish).value_or(std::array<uint32_t, 3>{});
  const MatrixShape shape{m, n, k};
  if (!possible(shape)) {
    return fail(Error::Kind::invalid, "LAVASCOPE_VULKAN_MATRIX cannot be used", std::string(wish) + " is neither \"0\" nor \"m,n,k\" of powers of two from 4 to 32",
                "Set it to 0 or 16,16,16, or not at all");
  }
  return device.empty() ? device : std::vector{shape};
}

MatrixTile choose_matrix_tile(const Limits& limits, std::span<const MatrixShape> shapes, const std::function<bool(const MatrixTile&)>& translates) {
  constexpr GemmTile candidates[] = {{most_matrix_threads, 128, 128}, {most_matrix_threads, 128, 64}, {128, 64, 64}, {128, 32, 64}};
  for (const MatrixShape& shape : shapes) {
    for (const auto& [threads, rows, outputs] : candidates) {
      if (!std::has_single_bit(limits.subgroup) || threads % limits.subgroup != 0 || threads > limits.invocations) continue;
      MatrixTile tile{threads, rows, outputs, limits.subgroup, 1, shape};
      while (tile.across * tile.across < tile.subgroups() && 2 * tile.least_outputs() <= outputs) tile.across *= 2;
      const bool fits = rows % tile.least_rows() == 0 && outputs % tile.least_outputs() == 0 && tile.shared_bytes() <= limits.shared_bytes;
      if (fits && translates(tile)) return tile;
    }
  }
  return {};
}

GemmTile gemm_tile(const Tiles& tiles, int64_t rows) {
  GemmTile tile = tiles.gemm;
  const uint32_t least = 2 * tile.threads / 16;  // two rows per invocation
  while (tile.rows > least && rows <= tile.rows / 2) tile.rows /= 2;
  return tile;
}

MatrixTile matrix_tile(const Tiles& tiles, int64_t rows, int64_t outputs) {
  MatrixTile tile = tiles.matrix;
  while (tile.rows > tile.least_rows() && rows <= tile.rows / 2) tile.rows /= 2;
  constexpr int64_t few_groups = 64;  // a guess at what keeps a large card busy
  const auto groups = [&] { return ((rows + tile.rows - 1) / tile.rows) * ((outputs + tile.outputs - 1) / tile.outputs); };
  while (tile.outputs > tile.least_outputs() && groups() < few_groups) tile.outputs /= 2;
  return tile;
}

}  // namespace lava::vulkan
