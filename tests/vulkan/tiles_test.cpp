// The tiles that devices get: they fit, and better devices get larger ones.
#include "kernels/vulkan/tiles.h"

#include <gtest/gtest.h>

namespace lava::vulkan {
namespace {

void expect_fit(const Limits& limits) {
  const Tiles tiles = choose_tiles(limits);
  EXPECT_LE(tiles.threads, limits.invocations);
  EXPECT_LE(tiles.gemm.threads, limits.invocations);
  EXPECT_LE(tiles.gemm.shared_bytes(), limits.shared_bytes);
  EXPECT_LE(attention_bytes(tiles.attention_queries, tiles.attention_keys), limits.shared_bytes);
  EXPECT_LE(tiles.attention_least, tiles.threads);
  // What the shaders divide without a rest.
  EXPECT_EQ(tiles.threads % tiles.attention_least, 0u);
  EXPECT_EQ(tiles.attention_least % tiles.attention_keys, 0u);
  EXPECT_EQ(tiles.threads % 128, 0u);
  EXPECT_EQ(tiles.gemm.outputs % 64, 0u);
  for (const int64_t rows : {9, 16, 17, 32, 33, 64, 65, 128, 129, 1000}) {
    const GemmTile tile = gemm_tile(tiles, rows);
    EXPECT_EQ(tile.rows % (2 * tile.threads / 16), 0u) << rows;
    EXPECT_TRUE(rows > tile.rows / 2 || tile.rows == 2 * tile.threads / 16) << rows;
    EXPECT_LE(tile.rows, tiles.gemm.rows);
  }
}

TEST(Tiles, FitEveryDevice) {
  for (const uint32_t invocations : {128, 255, 256, 512, 1024})
    for (const uint32_t kib : {16, 20, 32, 48, 64, 228})
      for (const uint32_t subgroup : {1, 4, 8, 16, 32, 64, 128}) {
        SCOPED_TRACE(testing::Message() << invocations << ',' << kib << ',' << subgroup);
        expect_fit({invocations, kib << 10, subgroup});
      }
}

TEST(Tiles, GrowWithTheDevice) {
  const Tiles least = choose_tiles({}), middle = choose_tiles({256, 32 << 10, 32}), large = choose_tiles({1024, 48 << 10, 64});
  EXPECT_EQ(least.threads, 128u);
  EXPECT_EQ(least.gemm.rows, 32u);
  EXPECT_EQ(middle.threads, 256u);
  EXPECT_EQ(middle.gemm.rows, 64u);
  EXPECT_EQ(middle.attention_keys, 32u);
  EXPECT_EQ(large.gemm.rows, 128u);
  EXPECT_EQ(large.attention_keys, 64u);
}

TEST(Tiles, LimitsMayBePlayed) {
  const Limits device{1024, 32 << 10, 8};
  EXPECT_EQ(played_limits(device, "")->invocations, 1024u);
  const auto played = played_limits(device, "128,16,64");
  ASSERT_TRUE(played);
  EXPECT_EQ(played->invocations, 128u);
  EXPECT_EQ(played->shared_bytes, 16384u);
  EXPECT_EQ(played->subgroup, 64u);
  for (const char* wish : {"128", "128,16", "128,16,", "128,16,8,", "127,16,8", "128,15,8", "128,16,0", "128;16;8", "-1,16,8", "99999999999,16,8", "128,16,8 "}) {
    const auto refused = played_limits(device, wish);
    ASSERT_FALSE(refused) << wish;
    EXPECT_FALSE(refused.error().remedy.empty());
  }
}

}  // namespace
}  // namespace lava::vulkan
