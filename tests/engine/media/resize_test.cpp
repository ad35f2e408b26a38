#include "engine/media/resize.h"

#include <gtest/gtest.h>

#include "engine/io/json_file.h"
#include "engine/media/sha256.h"
#include "tests/engine/media/noise.h"

namespace lava::media {
namespace {

TEST(Resize, TheBytesOfPillow) {
  const auto cases = io::read_json(test::fixture("expect.json")).value()["resize"];
  ASSERT_EQ(cases.size(), 32u);
  for (const auto& one : cases) {
    const Picture picture = test::noise(one["from"][0], one["from"][1]);
    const Picture out = resize(picture, {one["to"][0], one["to"][1]}, one["filter"] == "bicubic" ? Filter::bicubic : Filter::bilinear);
    EXPECT_EQ(sha256_hex(std::as_bytes(std::span(out.rgb))), one["sha256"].get<std::string>()) << one;
  }
}

TEST(Resize, AWindowIsAPartOfTheWhole) {
  const Picture picture = test::noise(57, 31);
  for (const Size size : {Size{40, 90}, Size{57, 12}, Size{100, 31}, Size{57, 31}}) {
    const Picture whole = resize(picture, size, Filter::bicubic);
    for (const Rect window : {Rect{0, 0, 10, 10}, Rect{5, 3, 1, 1}, Rect{size.width - 7, size.height - 9, 7, 9}})
      EXPECT_EQ(resize_window(picture, {}, size, window, Filter::bicubic).rgb, crop(whole, window).rgb);
  }
}

TEST(Resize, ASheetNeedNotBeBuilt) {
  const Colour colour = {122, 116, 104};
  for (const Size size : {Size{57, 31}, Size{31, 57}, Size{8, 1}}) {
    const Picture picture = test::noise(size.width, size.height);
    const Picture square = pad_to_square(picture, colour);
    EXPECT_EQ(square.width, square.height);
    EXPECT_EQ(square.row(0)[0], colour[0]);
    const Picture at_once = resize_window(picture, square_sheet(size, colour), {20, 20}, {0, 0, 20, 20}, Filter::bicubic);
    EXPECT_EQ(at_once.rgb, resize(square, {20, 20}, Filter::bicubic).rgb);
  }
}

TEST(Resize, PaddingIsCentred) {
  const Sheet wide = square_sheet({7, 4}, {1, 2, 3});
  EXPECT_EQ(wide.size, (Size{7, 7}));
  EXPECT_EQ(wide.x, 0);
  EXPECT_EQ(wide.y, 1);
}

TEST(Resize, ExtremeShapes) {
  const Picture line = test::noise(65'500, 1);
  EXPECT_EQ(resize(line, {336, 336}, Filter::bicubic).rgb.size(), 336u * 336u * 3u);
  // 22 million columns, of which 336 are wanted.
  EXPECT_EQ(resize_window(line, {}, {65'500 * 336, 336}, {65'500 * 168, 0, 336, 336}, Filter::bicubic).rgb.size(), 336u * 336u * 3u);
  EXPECT_EQ(resize_window(line, square_sheet(line.size(), {1, 2, 3}), {336, 336}, {0, 0, 336, 336}, Filter::bicubic).row(0)[2], 3);
}

TEST(ToTensor, InPlanes) {
  Picture picture = blank_picture({2, 1}, 0, 127, 255);
  picture.rgb[3] = 51;
  float out[6];
  to_tensor(picture, {0.5f, 0.25f, 0}, {0.5f, 0.25f, 1}, out);
  EXPECT_FLOAT_EQ(out[0], -1);
  EXPECT_FLOAT_EQ(out[1], (0.2f - 0.5f) / 0.5f);
  EXPECT_FLOAT_EQ(out[2], (127 / 255.0f - 0.25f) / 0.25f);
  EXPECT_FLOAT_EQ(out[4], 1);
}

}  // namespace
}  // namespace lava::media
