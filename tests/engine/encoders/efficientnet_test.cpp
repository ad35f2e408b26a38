// EfficientNet-Lite0 against torch, which computes with the same fp16 weights in float32.
#include "engine/encoders/efficientnet_lite.h"

#include <cmath>

#include "engine/io/safetensors.h"
#include "engine/media/resize.h"
#include "tests/engine/connectors/vision_support.h"

namespace lava::testing {
namespace {

constexpr int side = EfficientnetLite::side;

struct Network {
  std::unique_ptr<io::Safetensors> source = take(io::Safetensors::open(resources() / "default/classifier.safetensors"));
  Weights weights{cpu()};
  std::unique_ptr<EfficientnetLite> net = take(EfficientnetLite::load(weights, *source));
};

const EfficientnetLite& network() {
  static Network instance;
  return *instance.net;
}

void put(const media::Picture& picture, float* out) {
  ASSERT_EQ(picture.rgb.size(), size_t{side} * side * 3);
  for (size_t i = 0; i < picture.rgb.size(); ++i) out[i] = (static_cast<float>(picture.rgb[i]) - 127) / 128;
}

Tensor crops_of(Run& run, const nlohmann::json& cases) {
  const Tensor crops = run.arena.f32({static_cast<int64_t>(cases.size()), side, side, 3});
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto picture = take(media::read_picture(fixtures() / cases[i]["picture"].get<std::string>()));
    put(media::resize(picture, {side, side}, media::Filter::bilinear), crops.slice(static_cast<int64_t>(i), 1).f32());
  }
  return crops;
}

// Sums of 1152 products in another order: embeddings near 1 differ by less than 1e-4.
TEST(EfficientnetLite, EmbeddingsAndClassesOfTorch) {
  const auto cases = read_json(fixtures() / "efficientnet/cases.json");
  ASSERT_EQ(cases.size(), 3u);
  Workspace space(size_t{96} << 20);
  lava::Run run = space.run();
  const Tensor crops = crops_of(run, cases), embeddings = run.arena.f32({3, EfficientnetLite::width});
  const Tensor probabilities = run.arena.f32({3, EfficientnetLite::classes});
  ASSERT_TRUE(network().embed(run, embeddings, crops));
  network().classify(run, probabilities, embeddings);
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i]["picture"].get<std::string>());
    const float *e = embeddings.row(static_cast<int64_t>(i)), *p = probabilities.row(static_cast<int64_t>(i));
    const auto& sample = cases[i]["embedding_every_8th"];
    ASSERT_EQ(sample.size(), 160u);
    for (size_t k = 0; k < sample.size(); ++k) EXPECT_NEAR(e[8 * k], sample[k].get<float>(), 1e-4) << k;
    double sum = 0, squares = 0;
    for (int k = 0; k < EfficientnetLite::width; ++k) sum += e[k], squares += double{e[k]} * e[k];
    EXPECT_NEAR(sum / EfficientnetLite::width, cases[i]["embedding_mean"].get<double>(), 1e-5);
    EXPECT_NEAR(std::sqrt(squares / EfficientnetLite::width), cases[i]["embedding_rms"].get<double>(), 1e-5);
    EXPECT_EQ(std::max_element(p, p + EfficientnetLite::classes) - p, cases[i]["top"][0][0].get<int>());
    for (const auto& top : cases[i]["top"]) EXPECT_NEAR(p[top[0].get<int>()], top[1].get<float>(), 1e-4);
  }
}

TEST(EfficientnetLite, TogetherAsOneByOne) {
  const auto cases = read_json(fixtures() / "efficientnet/cases.json");
  Workspace space(size_t{96} << 20);
  lava::Run run = space.run();
  const Tensor crops = crops_of(run, cases), together = run.arena.f32({3, EfficientnetLite::width}), single = run.arena.f32({1, EfficientnetLite::width});
  ASSERT_TRUE(network().embed(run, together, crops));
  for (int64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(network().embed(run, single, crops.slice(i, 1)));
    for (int k = 0; k < EfficientnetLite::width; ++k) ASSERT_NEAR(single.row(0)[k], together.row(i)[k], 2e-5);
  }
}

TEST(EfficientnetLite, StopsWhenAsked) {
  Workspace space(size_t{96} << 20);
  const std::atomic<bool> cancel = true;
  lava::Run run = space.run(&cancel);
  const Tensor crops = run.arena.f32({1, side, side, 3}), embeddings = run.arena.f32({1, EfficientnetLite::width});
  std::fill_n(crops.f32(), crops.elements(), 0.0f);
  const auto done = network().embed(run, embeddings, crops);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Error::Kind::cancelled);
}

TEST(EfficientnetLite, OtherWeightsAreRefused) {
  const auto detector = take(io::Safetensors::open(resources() / "ssdlite/ssdlite-mobilenet-v2-coco.safetensors"));
  Weights weights(cpu());
  const auto net = EfficientnetLite::load(weights, *detector);
  ASSERT_FALSE(net);
  EXPECT_EQ(net.error().kind, Error::Kind::invalid);
}

}  // namespace
}  // namespace lava::testing
