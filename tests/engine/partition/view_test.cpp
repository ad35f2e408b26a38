#include <gtest/gtest.h>

#include <numeric>

#include "engine/partition/partition_config.h"

namespace lava {
namespace {

PartitionConfig single(Fit fit, int side = 56) {
  PartitionConfig config;
  config.fit = fit;
  config.side = side;
  config.padding = {122, 116, 104};
  return config;
}

std::vector<View> views_of(const PartitionConfig& config, Size image, int together = 1) {
  return make_partitioner(config).value()->views(image, together).value();
}

media::Picture gradient(Size size) {
  media::Picture picture = media::blank_picture(size, 0, 0, 0);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      picture.row(y)[3 * x] = static_cast<uint8_t>(255 * x / size.width),
                         picture.row(y)[3 * x + 1] = static_cast<uint8_t>(255 * y / size.height);
  return picture;
}

TEST(View, PaddedPictureOfTheRightSizeIsUntouched) {
  const media::Picture picture = gradient({56, 56});
  for (const Fit fit : {Fit::pad, Fit::centre_crop, Fit::squash})
    EXPECT_EQ(render_view(picture, views_of(single(fit), {56, 56})[0]).rgb, picture.rgb);
}

TEST(View, PadShowsEverythingOnTheMeanColour) {
  const View view = views_of(single(Fit::pad), {100, 50})[0];
  EXPECT_EQ(view.source, (Rect{0, 0, 100, 50}));
  const media::Picture out = render_view(gradient({100, 50}), view);
  EXPECT_EQ(out.row(0)[0], 122);
  EXPECT_EQ(out.row(55)[2], 104);
  EXPECT_EQ(out.row(28)[2], 0);
}

TEST(View, CentreCropLosesTheSides) {
  const View view = views_of(single(Fit::centre_crop), {112, 56})[0];
  EXPECT_EQ(view.source, (Rect{28, 0, 56, 56}));
  EXPECT_EQ(render_view(gradient({112, 56}), view).rgb, media::crop(gradient({112, 56}), {28, 0, 56, 56}).rgb);
}

TEST(View, CropsLargerThanThePictureAreBlackAround) {
  PartitionConfig config = single(Fit::centre_crop);
  config.shortest_edge = 40;
  const media::Picture out = render_view(media::blank_picture({40, 40}, 9, 9, 9), views_of(config, {40, 40})[0]);
  EXPECT_EQ(out.size(), (Size{56, 56}));
  EXPECT_EQ(out.row(7)[3 * 28], 0);
  EXPECT_EQ(out.row(8)[3 * 28], 9);
  EXPECT_EQ(out.row(47)[3 * 28], 9);
  EXPECT_EQ(out.row(48)[3 * 28], 0);
}

PartitionConfig tiled() {
  PartitionConfig config = single(Fit::pad);
  config.method = "anyres";
  config.resolutions = {{56, 112}, {112, 56}, {112, 112}, {168, 56}, {56, 168}};
  return config;
}

// The tiles beside one another are the whole resized picture.
TEST(View, TilesJoinWithoutGaps) {
  const Size image = {300, 200};
  const auto views = views_of(tiled(), image);
  ASSERT_EQ(views.size(), 5u);
  View whole = views[1];
  whole.cut = {0, 0, 112, 112};
  const media::Picture picture = gradient(image), joined = render_view(picture, whole);
  for (size_t i = 1; i < views.size(); ++i) {
    EXPECT_EQ(views[i].role, ViewRole::tile);
    EXPECT_EQ(views[i].row * 2 + views[i].column, static_cast<int>(i) - 1);
    EXPECT_EQ(render_view(picture, views[i]).rgb, media::crop(joined, views[i].cut).rgb);
  }
  EXPECT_EQ(joined.row(0)[0], 0);                      // padding is black
  EXPECT_EQ(views[1].source, (Rect{0, 0, 150, 102}));  // 75 rows of the resized picture, 38 of them in the upper tiles
  EXPECT_EQ(views[4].source, (Rect{150, 101, 150, 99}));
}

TEST(View, PartsOfAViewLeadBackToThePicture) {
  const View pad = views_of(single(Fit::pad), {100, 50})[0];
  EXPECT_EQ(source_of(pad, {100, 50}, {0, 0, 56, 14}).height, 0);  // only padding
  const Rect middle = source_of(pad, {100, 50}, {14, 14, 28, 28});
  EXPECT_EQ(middle, (Rect{25, 0, 50, 50}));
}

// Extreme shapes: every view has its size, nothing takes long or much memory.
TEST(View, ExtremePictures) {
  std::vector<PartitionConfig> configs = {single(Fit::pad, 336), single(Fit::centre_crop, 336), single(Fit::squash, 384), tiled()};
  for (const Size image : {Size{1, 1}, Size{3, 1}, Size{1, 3}, Size{1, 65535}, Size{65535, 1}, Size{7, 20000}, Size{20000, 7}}) {
    const media::Picture picture = gradient(image);
    for (const PartitionConfig& config : configs) {
      for (const View& view : views_of(config, image)) {
        EXPECT_EQ(render_view(picture, view).size(), view.size);
        EXPECT_GE(view.source.x, 0);
        EXPECT_GE(view.source.y, 0);
        EXPECT_LE(view.source.x + view.source.width, image.width);
        EXPECT_LE(view.source.y + view.source.height, image.height);
      }
    }
  }
}

TEST(View, ImpossibleSizesAreErrors) {
  const auto partitioner = make_partitioner(tiled()).value();
  for (const Size image : {Size{0, 5}, Size{5, 0}, Size{-1, 5}, Size{65536, 1}, Size{1, 2'000'000'000}})
    EXPECT_FALSE(partitioner->views(image, 1));
}

}  // namespace
}  // namespace lava
