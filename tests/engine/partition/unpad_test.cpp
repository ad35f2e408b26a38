#include "engine/partition/unpad.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/partition/partition_config.h"

namespace lava {
namespace {

PartitionConfig config_of(const char* method, int side, std::vector<Size> resolutions) {
  PartitionConfig config;
  config.method = method;
  config.side = side;
  config.resolutions = std::move(resolutions);
  config.pack = PackMode::spatial_unpad;
  return config;
}

// Width and height of the tile sizes in the order of the original models, which decides ties.
PartitionConfig next() { return config_of("anyres", 336, {{336, 672}, {672, 336}, {672, 672}, {1008, 336}, {336, 1008}}); }

PartitionConfig onevision() {
  std::vector<Size> sizes;
  for (int i = 1; i <= 6; ++i)
    for (int j = 1; j <= 6; ++j) sizes.push_back({i * 384, j * 384});
  return config_of("anyres_max", 384, sizes);
}

struct Packed {
  Size grid;
  size_t views;
  PackPlan plan;
};

Packed pack(const PartitionConfig& config, Size image, PackSettings settings) {
  const auto views = make_partitioner(config).value()->views(image, 1).value();
  return {{views.back().grid_columns * config.side, views.back().grid_rows * config.side}, views.size(), pack_plan(image, views, settings)};
}

struct Example {
  Size image, grid;
  size_t views;
  Size kept, shown;
  int tokens;
};

void check(const PartitionConfig& config, const PackSettings& settings, const Example& example) {
  SCOPED_TRACE(testing::Message() << example.image.width << " x " << example.image.height);
  const Packed packed = pack(config, example.image, settings);
  EXPECT_EQ(packed.grid.width, example.grid.width);
  EXPECT_EQ(packed.grid.height, example.grid.height);
  EXPECT_EQ(packed.views, example.views);
  EXPECT_EQ(packed.plan.kept, example.kept);
  EXPECT_EQ(packed.plan.shown, example.shown);
  EXPECT_EQ(packed.plan.tokens, example.tokens);
  EXPECT_EQ(packed.plan.tokens, packed.plan.base_tokens + packed.plan.shown.width * packed.plan.shown.height + packed.plan.newlines);
}

// LLaVA-NeXT with the tile sizes as width x height. The transformers library reads the same list as height x width, so that for the first
// two pictures, where two sizes tie, it takes 672 x 336: see TheOtherOrderDecidesTies.
TEST(Pack, ExamplesOfNext) {
  const Example examples[] = {
      {{336, 336}, {336, 672}, 3, {24, 24}, {24, 24}, 1176},   {{300, 200}, {336, 672}, 3, {24, 16}, {24, 16}, 976},
      {{640, 480}, {672, 672}, 5, {48, 36}, {48, 36}, 2340},   {{480, 640}, {672, 672}, 5, {36, 48}, {36, 48}, 2352},
      {{1024, 899}, {672, 672}, 5, {48, 42}, {48, 42}, 2634},  {{1920, 1080}, {672, 672}, 5, {48, 28}, {48, 28}, 1948},
      {{4000, 3000}, {672, 672}, 5, {48, 36}, {48, 36}, 2340}, {{2000, 100}, {1008, 336}, 4, {72, 4}, {72, 4}, 868},
      {{100, 2000}, {336, 1008}, 4, {4, 72}, {4, 72}, 936}};
  for (const Example& example : examples) check(next(), {PackMode::spatial_unpad, {24, 24}, 0}, example);
}

TEST(Pack, ExamplesOfOnevision) {
  const Example examples[] = {
      {{336, 336}, {384, 384}, 2, {27, 27}, {27, 27}, 1485},        {{300, 200}, {384, 384}, 2, {27, 19}, {27, 19}, 1261},
      {{640, 480}, {768, 768}, 5, {54, 40}, {54, 40}, 2929},        {{480, 640}, {768, 768}, 5, {40, 54}, {40, 54}, 2943},
      {{1024, 899}, {1152, 1152}, 10, {81, 71}, {81, 71}, 6551},    {{1920, 1080}, {1920, 1152}, 16, {135, 75}, {108, 60}, 7269},
      {{4000, 3000}, {2304, 1920}, 31, {162, 121}, {93, 70}, 7309}, {{2000, 100}, {2304, 384}, 7, {162, 9}, {162, 9}, 2196},
      {{100, 2000}, {384, 2304}, 7, {9, 162}, {9, 162}, 2349}};
  for (const Example& example : examples) check(onevision(), {PackMode::spatial_unpad, {27, 27}, 9}, example);
}

TEST(Pack, TheOtherOrderDecidesTies) {
  PartitionConfig config = next();
  for (Size& size : config.resolutions) std::swap(size.width, size.height);
  EXPECT_EQ(pack(config, {300, 200}, {PackMode::spatial_unpad, {24, 24}, 0}).grid, (Size{672, 336}));
}

TEST(Pack, OtherModes) {
  const Packed flat = pack(next(), {640, 480}, {PackMode::flat, {24, 24}, 0});
  EXPECT_EQ(flat.plan.tokens, 5 * 576);
  const Packed spatial = pack(next(), {640, 480}, {PackMode::spatial, {24, 24}, 0});
  EXPECT_EQ(spatial.plan.tokens, 5 * 576);
  EXPECT_EQ(spatial.plan.newlines, 0);
  const auto several = make_partitioner(onevision()).value()->views({640, 480}, 2).value();
  ASSERT_EQ(several.size(), 1u);
  EXPECT_EQ(pack_plan({640, 480}, several, {PackMode::spatial_unpad, {27, 27}, 9}).tokens, 730);
  EXPECT_EQ(pack_plan({640, 480}, several, {PackMode::flat, {24, 24}, 0}).tokens, 576);
}

TEST(Pack, EveryShapeKeepsAtLeastOneCell) {
  for (const PartitionConfig& config : {next(), onevision()}) {
    const int cells = config.side == 336 ? 24 : 27;
    for (const Size image :
         {Size{1, 1}, Size{1, 65535}, Size{65535, 1}, Size{3, 1}, Size{1, 3}, Size{2, 65535}, Size{30000, 30000}, Size{65535, 65535}}) {
      const Packed packed = pack(config, image, {PackMode::spatial_unpad, {cells, cells}, config.side == 384 ? 9 : 0});
      EXPECT_GE(packed.plan.shown.width, 1);
      EXPECT_GE(packed.plan.shown.height, 1);
      EXPECT_LE(packed.plan.tokens, 7400);
      EXPECT_GT(packed.plan.tokens, cells * cells);
    }
  }
}

}  // namespace
}  // namespace lava
