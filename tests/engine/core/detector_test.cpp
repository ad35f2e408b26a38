// Pictures to named boxes, against the original graph's raw outputs and on pictures of odd shapes.
#include "engine/core/detector.h"

#include <cmath>
#include <limits>

#include "engine/io/safetensors.h"
#include "tests/engine/connectors/vision_support.h"

namespace lava::testing {
namespace {

Detector& detector() {
  static const std::unique_ptr<Detector> instance = take(Detector::open(cpu()));
  return *instance;
}

media::Picture cat() { return take(media::read_picture(fixtures() / "default/chelsea.png")); }

void paste(const media::Picture& from, int x, int y, media::Picture& to) {
  for (int row = 0; row < from.height; ++row)
    std::copy_n(from.row(row), static_cast<size_t>(from.width) * 3, to.row(y + row) + static_cast<size_t>(x) * 3);
}

void expect_same(const Detection& a, const Detection& b, float tolerance) {
  EXPECT_EQ(a.label, b.label);
  EXPECT_NEAR(a.score, b.score, 1e-3);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(a.box[i], b.box[i], tolerance) << i;
}

// Suppression by hand over the recorded anchors: all that score at least as much as the last of them.
std::vector<Detection> recorded_objects(const nlohmann::json& golden, float side) {
  std::vector<Detection> kept;
  std::vector<Box> boxes;
  for (const auto& entry : golden["top"]) {
    const auto& a = entry["anchor_cy_cx_h_w"];
    const auto& t = entry["box_code"];
    const double cy = a[0].get<double>() + t[0].get<double>() / 10 * a[2].get<double>(), h = a[2].get<double>() * std::exp(t[2].get<double>() / 5);
    const double cx = a[1].get<double>() + t[1].get<double>() / 10 * a[3].get<double>(), w = a[3].get<double>() * std::exp(t[3].get<double>() / 5);
    const auto clip = [](double v) { return static_cast<float>(std::clamp(v, 0.0, 1.0)); };
    const Box box{clip(cx - w / 2), clip(cy - h / 2), clip(cx + w / 2), clip(cy + h / 2)};
    if (std::any_of(boxes.begin(), boxes.end(), [&](const Box& other) { return ssd::overlap(box, other) > 0.5f; })) continue;
    boxes.push_back(box);
    const float score = static_cast<float>(1 / (1 + std::exp(-entry["logit"].get<double>())));
    kept.push_back({"cat", {box.x1 * side, box.y1 * side, box.x2 * side, box.y2 * side}, score});
  }
  return kept;
}

TEST(Detector, EqualsTheOriginalGraph) {
  const auto golden = read_json(fixtures() / "detector/detector-golden.json");
  for (const auto& entry : golden["top"]) ASSERT_EQ(entry["class"], 17);  // so that one class is suppressed
  const auto wanted = recorded_objects(golden, 300);
  const float least = static_cast<float>(1 / (1 + std::exp(-golden["top"].back()["logit"].get<double>())));
  const auto found = take(detector().detect(take(media::read_picture(fixtures() / "detector/detector-golden.png")), {least - 1e-4f, 100}));
  EXPECT_EQ(found.size, (Size{300, 300}));
  ASSERT_EQ(found.objects.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) expect_same(found.objects[i], wanted[i], 0.05f);
}

TEST(Detector, TheTowerOfAModelFindsTheSame) {
  Weights weights(cpu());
  const auto source = take(io::Safetensors::open(resources() / "ssdlite/ssdlite-mobilenet-v2-coco.safetensors"));
  const auto tower = take(SsdliteMobilenetV2::load(weights, *source));
  const auto borrowed = take(Detector::borrow(cpu(), *tower));
  const auto a = take(borrowed->detect(cat(), {})), b = take(detector().detect(cat(), {}));
  ASSERT_EQ(a.objects.size(), 1u);
  ASSERT_EQ(b.objects.size(), 1u);
  expect_same(a.objects[0], b.objects[0], 0);
}

// A picture with grey bars where the padding would be is seen as the same square; its boxes lie elsewhere.
TEST(Detector, BoxesAreInPixelsOfThePictureInsideIt) {
  const media::Picture square = cat();
  ASSERT_EQ(square.size(), (Size{300, 300}));
  const Detection inner = take(detector().detect(square, {})).objects.at(0);
  for (const Size size : {Size{300, 900}, Size{900, 300}}) {
    media::Picture picture = media::blank_picture(size, 128, 128, 128);
    const int x = (size.width - 300) / 2, y = (size.height - 300) / 2;
    paste(square, x, y, picture);
    const auto found = take(detector().detect(picture, {0.3f, 5}));
    ASSERT_FALSE(found.objects.empty());
    EXPECT_EQ(found.size, size);
    EXPECT_EQ(found.objects[0].label, "cat");
    const float* box = found.objects[0].box;
    const float offset[4] = {static_cast<float>(x), static_cast<float>(y), static_cast<float>(x), static_cast<float>(y)};
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(box[i], inner.box[i] + offset[i], 60) << i;
    EXPECT_TRUE(box[0] >= 0 && box[1] >= 0 && box[2] <= static_cast<float>(size.width) && box[3] <= static_cast<float>(size.height));
  }
}

TEST(Detector, OddPicturesGiveSoundAnswers) {
  for (const Size size : {Size{1, 1}, Size{1, 3000}, Size{3000, 1}, Size{4000, 4000}, Size{2, 3}}) {
    media::Picture picture = media::blank_picture(size, 128, 128, 128);
    uint32_t noise = 1;
    for (size_t i = 0; i < picture.rgb.size(); i += 7) picture.rgb[i] = static_cast<uint8_t>((noise = noise * 1664525 + 1013904223) >> 24);
    const auto found = take(detector().detect(picture, {0, DetectRules::most}));
    EXPECT_LE(found.objects.size(), 100u);
    for (size_t i = 0; i < found.objects.size(); ++i) {
      const Detection& d = found.objects[i];
      EXPECT_FALSE(d.label.empty());
      EXPECT_TRUE(d.score >= 0 && d.score <= 1 && (i == 0 || d.score <= found.objects[i - 1].score));
      EXPECT_TRUE(0 <= d.box[0] && d.box[0] < d.box[2] && d.box[2] <= static_cast<float>(size.width)) << size.width;
      EXPECT_TRUE(0 <= d.box[1] && d.box[1] < d.box[3] && d.box[3] <= static_cast<float>(size.height)) << size.height;
    }
  }
  EXPECT_TRUE(take(detector().detect(media::blank_picture({640, 480}, 128, 128, 128), {})).objects.empty());
}

TEST(Detector, TheRulesDecideHowMany) {
  const media::Picture picture = cat();
  const auto all = take(detector().detect(picture, {0.02f, 100}));
  ASSERT_GT(all.objects.size(), 3u);
  const auto three = take(detector().detect(picture, {0.02f, 3}));
  ASSERT_EQ(three.objects.size(), 3u);
  for (size_t i = 0; i < 3; ++i) expect_same(three.objects[i], all.objects[i], 0);
  EXPECT_TRUE(take(detector().detect(picture, {1, 100})).objects.empty());
  for (const DetectRules rules : {DetectRules{-0.1f, 5}, {1.1f, 5}, {std::numeric_limits<float>::quiet_NaN(), 5}, {0.5f, 0}, {0.5f, 101}})
    EXPECT_FALSE(detector().detect(picture, rules)) << rules.threshold << ", " << rules.max;
}

TEST(Detector, WhatIsNoPictureIsASentence) {
  for (const char* text : {"", "hello", "\x89PNG\r\n\x1a\n"}) {
    const auto found = detector().detect(DetectRequest{std::make_shared<const std::string>(text), {}});
    ASSERT_FALSE(found) << text;
    EXPECT_FALSE(found.error().message().empty());
  }
  EXPECT_FALSE(detector().detect(DetectRequest{}));
  const std::atomic<bool> cancelled{true};
  const auto stopped = detector().detect(cat(), {}, &cancelled);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, Error::Kind::cancelled);
}

}  // namespace
}  // namespace lava::testing
