// The transformer tower: which hidden states become features, and configurations that are refused.
#include "engine/encoders/vit.h"

#include "engine/io/safetensors.h"
#include "engine/partition/partition_config.h"
#include "tests/engine/connectors/vision_support.h"

namespace lava::testing {
namespace {

struct Tower {
  explicit Tower(const std::function<void(VitConfig&)>& change = {}) {
    source = take(io::Safetensors::open(fixtures() / "transformers/llava15"));
    VitConfig config = take(vit_from_hugging_face(read_json(fixtures() / "transformers/llava15/config.json")));
    if (change) change(config);
    tower = take(Vit::load(weights, *source, *VitNames::find_hugging_face(*source), config, {0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}, Precision::exact));
  }
  std::vector<float> features() const {
    PartitionConfig config;
    config.side = 56;
    const auto picture = take(media::read_picture(fixtures() / "transformers/llava15/scene.png"));
    const auto views = take(take(make_partitioner(config))->views(picture.size(), 1));
    Workspace space(size_t{8} << 20);
    lava::Run run = space.run();
    const Tensor grid = take(tower->encode(run, views, picture, {})).grids.at(0);
    return {grid.f32(), grid.f32() + grid.elements()};
  }
  std::unique_ptr<io::Safetensors> source;
  Weights weights{cpu()};
  std::unique_ptr<Vit> tower;
};

TEST(Vit, SeveralHiddenStatesStandSideBySide) {
  const auto one = Tower([](VitConfig& c) { c.outputs = {1}; }).features(), three = Tower([](VitConfig& c) { c.outputs = {3}; }).features();
  const Tower both([](VitConfig& c) { c.outputs = {3, 1}; });
  EXPECT_EQ(both.tower->info().width, 128);
  const auto joined = both.features();
  ASSERT_EQ(joined.size(), 2 * one.size());
  for (size_t row = 0; row < 16; ++row) {
    for (size_t i = 0; i < 64; ++i) {
      ASSERT_EQ(joined[row * 128 + i], three[row * 64 + i]);
      ASSERT_EQ(joined[row * 128 + 64 + i], one[row * 64 + i]);
    }
  }
}

TEST(Vit, StateZeroIsTheInputOfTheFirstBlockAfterTheNorm) {
  const auto zero = [](VitConfig& c) { c.outputs = {0}; };
  EXPECT_EQ(Tower(zero).tower->config().last_output(), 0);
  EXPECT_NE(Tower(zero).features(), Tower([](VitConfig& c) { c.outputs = {1}; }).features());
  EXPECT_NE(Tower(zero).features(), Tower([](VitConfig& c) { c.outputs = {0}, c.pre_norm = false; }).features());
}

TEST(Vit, GivesOnlyWhatItHas) {
  const Tower tower;
  Workspace space(size_t{8} << 20);
  lava::Run run = space.run();
  Signals wanted;
  wanted.objects = true;
  EXPECT_FALSE(tower.tower->encode(run, {}, {}, wanted));
}

TEST(Vit, ViewsOfAnotherSizeAreRefused) {
  const Tower tower;
  PartitionConfig config;
  config.side = 70;
  const auto views = take(take(make_partitioner(config))->views({100, 80}, 1));
  Workspace space(size_t{8} << 20);
  lava::Run run = space.run();
  const auto features = tower.tower->encode(run, views, media::blank_picture({100, 80}, 9, 9, 9), {});
  ASSERT_FALSE(features);
  EXPECT_NE(features.error().message().find("70"), std::string::npos);
  EXPECT_NE(features.error().message().find("56"), std::string::npos);
}

TEST(Vit, CeilingsHold) {
  const VitConfig good = take(vit_from_hugging_face(read_json(fixtures() / "transformers/llava15/config.json")));
  EXPECT_TRUE(check_vit(good));
  const std::function<void(VitConfig&)> changes[] = {
      [](VitConfig& c) { c.width = 1 << 20; },  [](VitConfig& c) { c.heads = 3; },       [](VitConfig& c) { c.layers = 100'000; },
      [](VitConfig& c) { c.mlp = 0; },          [](VitConfig& c) { c.image = 1 << 30; }, [](VitConfig& c) { c.patch = 0; },
      [](VitConfig& c) { c.image = 8192, c.patch = 1; }, [](VitConfig& c) { c.outputs = {}; }, [](VitConfig& c) { c.outputs = {4}; },
      [](VitConfig& c) { c.outputs = {-1}; },   [](VitConfig& c) { c.eps = 0; },         [](VitConfig& c) { c.class_row = false, c.patch = c.image; }};
  for (const auto& change : changes) {
    VitConfig config = good;
    change(config);
    EXPECT_FALSE(check_vit(config));
  }
}

// Shapes that published configurations leave out or only name.
TEST(VitConfig, PublishedTowersByName) {
  const auto clip = take(vit_from_name({{"mm_vision_select_layer", -2}}, "openai/clip-vit-large-patch14-336"));
  EXPECT_EQ(clip.grid(), 24);
  EXPECT_EQ(clip.outputs, std::vector<int>{23});
  EXPECT_EQ(clip.kept_rows(), 576);
  const auto siglip = take(vit_from_name({{"mm_vision_select_layer", -2}}, "google/siglip-so400m-patch14-384"));
  EXPECT_EQ(siglip.grid(), 27);
  EXPECT_EQ(siglip.outputs, std::vector<int>{26});
  EXPECT_EQ(siglip.kept_rows(), 729);
  EXPECT_FALSE(vit_from_name({}, "facebook/dinov2-large"));
  const auto defaults = take(vit_from_hugging_face({{"model_type", "llava_onevision"}}));
  EXPECT_EQ(defaults.outputs, std::vector<int>{26});
  EXPECT_FALSE(defaults.drop_first);
}

}  // namespace
}  // namespace lava::testing
