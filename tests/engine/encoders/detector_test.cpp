// The detector against the raw outputs of the original graph on a prepared picture.
#include <cmath>

#include "engine/encoders/ssdlite_mobilenet_v2.h"
#include "engine/io/safetensors.h"
#include "tests/engine/connectors/vision_support.h"

namespace lava::testing {
namespace {

struct Detector {
  std::unique_ptr<io::Safetensors> source = take(io::Safetensors::open(resources() / "ssdlite/ssdlite-mobilenet-v2-coco.safetensors"));
  Weights weights{cpu()};
  std::unique_ptr<SsdliteMobilenetV2> tower = take(SsdliteMobilenetV2::load(weights, *source));
  std::unique_ptr<Partitioner> partitioner = take(make_partitioner(detector_views()));
};

Detector& detector() {
  static Detector instance;
  return instance;
}

media::Picture prepared_picture() { return take(media::read_picture(fixtures() / "detector/detector-golden.png")); }

TEST(SsdBoxes, AnchorsAreThoseOfTheZoo) {
  const auto anchors = ssd::make_anchors();
  ASSERT_EQ(anchors.size(), 1917u);
  const auto golden = read_json(fixtures() / "detector/detector-golden.json");
  ASSERT_EQ(golden["top"].size(), 12u);
  for (const auto& wanted : golden["top"]) {
    const ssd::Anchor& a = anchors[wanted["anchor"].get<size_t>()];
    const auto& w = wanted["anchor_cy_cx_h_w"];
    EXPECT_NEAR(a.cy, w[0].get<float>(), 1e-5);
    EXPECT_NEAR(a.cx, w[1].get<float>(), 1e-5);
    EXPECT_NEAR(a.h, w[2].get<float>(), 1e-5);
    EXPECT_NEAR(a.w, w[3].get<float>(), 1e-5);
  }
}

TEST(SsdBoxes, DecodesCentreAndSize) {
  const ssd::Anchor anchor{0.5f, 0.25f, 0.2f, 0.4f};
  const float still[4] = {0, 0, 0, 0}, moved[4] = {10, -5, 5 * std::log(2.0f), 5 * std::log(0.5f)};
  const Box a = ssd::decode(anchor, still), b = ssd::decode(anchor, moved);
  EXPECT_NEAR(a.x1, 0.05f, 1e-6);
  EXPECT_NEAR(a.y1, 0.4f, 1e-6);
  EXPECT_NEAR(a.x2, 0.45f, 1e-6);
  EXPECT_NEAR(a.y2, 0.6f, 1e-6);
  EXPECT_NEAR((b.y1 + b.y2) / 2, 0.7f, 1e-6);
  EXPECT_NEAR((b.x1 + b.x2) / 2, 0.05f, 1e-6);
  EXPECT_NEAR(b.y2 - b.y1, 0.4f, 1e-6);
  EXPECT_NEAR(b.x2 - b.x1, 0.2f, 1e-6);
}

TEST(SsdBoxes, SuppressionLooksAtClassesOnlyWhenAsked) {
  const std::vector<ssd::Anchor> anchors(3, {0.5f, 0.5f, 0.5f, 0.5f});
  const std::vector<float> codes(12, 0.0f);
  std::vector<float> logits(3 * ssd::classes, -9.0f);
  logits[0 * ssd::classes + 17] = 1, logits[1 * ssd::classes + 18] = 2, logits[2 * ssd::classes + 17] = 3;
  ssd::Rules rules;
  const auto blind = ssd::pick(anchors, codes.data(), logits.data(), rules);
  ASSERT_EQ(blind.size(), 1u);
  EXPECT_EQ(blind[0].anchor, 2);
  rules.per_class = true;
  const auto sorted = ssd::pick(anchors, codes.data(), logits.data(), rules);
  ASSERT_EQ(sorted.size(), 2u);
  EXPECT_EQ(sorted[0].class_id, 17);
  EXPECT_EQ(sorted[1].class_id, 18);
  rules.threshold = 0.99f;
  EXPECT_TRUE(ssd::pick(anchors, codes.data(), logits.data(), rules).empty());
}

// The fixture has four decimals of logits near 4, computed in float32 in another order.
TEST(SsdliteMobilenetV2, RawOutputsAndMaps) {
  const auto golden = read_json(fixtures() / "detector/detector-golden.json");
  const media::Picture picture = prepared_picture();
  ASSERT_EQ(picture.size(), (Size{300, 300}));
  Workspace space(size_t{64} << 20);
  lava::Run run = space.run();
  const Tensor x = run.arena.f32({300, 300, 3});
  for (size_t i = 0; i < picture.rgb.size(); ++i) x.f32()[i] = static_cast<float>(picture.rgb[i]) * (2.0f / 255) - 1;
  const auto outputs = take(detector().tower->forward(run, x));
  for (const auto& wanted : golden["top"]) {
    const int64_t anchor = wanted["anchor"];
    EXPECT_NEAR(outputs.logits.row(anchor)[wanted["class"].get<int>()], wanted["logit"].get<float>(), 1e-3);
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(outputs.codes.row(anchor)[i], wanted["box_code"][static_cast<size_t>(i)].get<float>(), 1e-3);
  }
  for (size_t m = 0; m < 6; ++m) {
    const Tensor& map = outputs.maps[m];
    const auto& shape = golden["maps"][m][0];
    EXPECT_EQ(map.extent[2], shape[1]);
  EXPECT_EQ(map.extent[0], shape[2]);
  EXPECT_EQ(map.extent[1], shape[3]);
    double mean = 0, magnitude = 0;
    for (int64_t i = 0; i < map.elements(); ++i) mean += map.f32()[i], magnitude += std::pow(map.f32()[i], 2);
    const double n = static_cast<double>(map.elements());
    mean /= n, magnitude = std::sqrt((magnitude - n * mean * mean) / (n - 1));
    EXPECT_NEAR(mean, golden["maps"][m][1].get<double>(), 1e-4) << m;
    EXPECT_NEAR(magnitude, golden["maps"][m][2].get<double>(), 1e-3) << m;
  }
}

TEST(SsdliteMobilenetV2, NamesWhatItFinds) {
  Workspace space(size_t{64} << 20);
  lava::Run run = space.run();
  const auto picture = take(media::read_picture(fixtures() / "default/chelsea.png"));
  const auto views = take(detector().partitioner->views(picture.size(), 1));
  const auto found = take(detector().tower->detections(run, views.front(), picture, 0.4f, 20));
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].label, "cat");
  EXPECT_NEAR(found[0].score, 0.977f, 1e-3);
  EXPECT_NEAR(found[0].box.x1, 0.0007f, 1e-3);
  EXPECT_NEAR(found[0].box.y2, 0.8452f, 1e-3);
  EXPECT_EQ(run.arena.used(), 0u);
}

}  // namespace
}  // namespace lava::testing
