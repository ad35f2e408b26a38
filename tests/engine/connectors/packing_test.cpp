// Where the rows go: features that name their own place must be found there.
#include "engine/connectors/packing.h"

#include <cmath>

#include "engine/partition/partition_config.h"
#include "tests/engine/connectors/vision_support.h"

namespace lava::testing {
namespace {

constexpr int side = 24, width = 3;  // a feature is (view, y, x)

struct Packed {
  std::vector<RowInfo> info;
  std::vector<float> rows;
};

PartitionConfig settings(PackMode mode, int max_tiles) {
  PartitionConfig config;
  config.method = mode == PackMode::flat ? "single" : max_tiles > 0 ? "anyres_max" : "anyres";
  config.side = side * 14;
  config.max_tiles = max_tiles;
  config.pack = mode;
  for (int w = 1; w <= 6; ++w)
    for (int h = 1; h <= 6; ++h) config.resolutions.push_back({w * config.side, h * config.side});
  return config;
}

Packed pack(Size image, const PartitionConfig& config, std::span<const float> newline, bool backwards = false) {
  const auto views = take(take(make_partitioner(config))->views(image, 1));
  const Packer packer(image, views, {config.pack, {side, side}, config.max_tiles});
  Packed packed{packer.info(), std::vector<float>(static_cast<size_t>(packer.rows()) * width)};
  for (size_t k = 0; k < views.size(); ++k) {
    const size_t view = backwards ? views.size() - 1 - k : k;
    std::vector<float> rows;
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) rows.insert(rows.end(), {static_cast<float>(view), static_cast<float>(y), static_cast<float>(x)});
    packer.place(static_cast<int>(view), rows.data(), width, packed.rows.data());
  }
  packer.place_newlines(newline.data(), width, packed.rows.data());
  return packed;
}

constexpr float newline[width] = {-7, -8, -9};

TEST(Packing, UnpaddedMapsSayWhereTheyComeFrom) {
  for (const Size image : {Size{336, 336}, Size{640, 480}, Size{1920, 1080}, Size{100, 2000}, Size{2000, 100}, Size{1, 1}, Size{1024, 899}}) {
    SCOPED_TRACE(std::to_string(image.width) + " x " + std::to_string(image.height));
    const Packed packed = pack(image, settings(PackMode::spatial_unpad, 0), newline);
    ASSERT_EQ(packed.info.size() * width, packed.rows.size());
    int separators = 0;
    for (size_t i = 0; i < packed.info.size(); ++i) {
      const RowInfo& info = packed.info[i];
      const float* row = packed.rows.data() + i * width;
      if (info.kind == RowKind::separator) {
        ASSERT_EQ(row[0], newline[0]);
        ASSERT_EQ(row[2], newline[2]);
        ASSERT_EQ(info.x, -1);
        ++separators;
      } else {
        ASSERT_EQ(info.kind, RowKind::image);
        ASSERT_EQ(row[0], info.view);
        ASSERT_EQ(row[1], info.y);
        ASSERT_EQ(row[2], info.x);
      }
    }
    EXPECT_GT(separators, 0);
    EXPECT_EQ(packed.info.back().kind, RowKind::separator);
    for (int i = 0; i < side * side; ++i) ASSERT_EQ(packed.info[static_cast<size_t>(i)].view, 0);
    EXPECT_EQ(packed.info[side * side].view, 1);
  }
}

// Reduced maps: values of a linear ramp stay a linear ramp away from the border, whatever the order in which the views come.
TEST(Packing, ReducedMapsAreBilinear) {
  const PartitionConfig config = settings(PackMode::spatial_unpad, 2);
  const Size image{2016, 2016};
  const auto views = take(take(make_partitioner(config))->views(image, 1));
  const PackPlan plan = pack_plan(image, views, {config.pack, {side, side}, config.max_tiles});
  ASSERT_TRUE(plan.reduced());
  const Packed packed = pack(image, config, newline), reversed = pack(image, config, newline, true);
  for (size_t i = 0; i < packed.rows.size(); ++i) ASSERT_NEAR(packed.rows[i], reversed.rows[i], 1e-4);
  const double scale = static_cast<double>(plan.kept.height) / plan.shown.height;
  for (int y = 1; y + 1 < plan.shown.height; ++y) {
    for (int x = 1; x + 1 < plan.shown.width; ++x) {
      const double at = (y + 0.5) * scale - 0.5;
      if (static_cast<int>(at) % side == side - 1) continue;  // between two tiles the ramp starts again
      const size_t row = static_cast<size_t>(plan.base_tokens + y * (plan.shown.width + 1) + x);
      ASSERT_NEAR(packed.rows[row * width + 1], std::fmod(at, side), 1e-3) << y << " " << x;
    }
  }
  EXPECT_EQ(packed.info.size(), static_cast<size_t>(plan.tokens));
}

TEST(Packing, FlatViewsFollowOneAnother) {
  const Packed packed = pack({500, 300}, settings(PackMode::flat, 0), newline);
  ASSERT_EQ(packed.info.size(), static_cast<size_t>(side * side));
  EXPECT_EQ(packed.rows[(3 * side + 5) * width + 1], 3);
  EXPECT_EQ(packed.rows[(3 * side + 5) * width + 2], 5);
}

}  // namespace
}  // namespace lava::testing
