#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "engine/io/json_file.h"
#include "engine/partition/partition_config.h"

namespace lava {
namespace {

Result<PartitionConfig> from(const char* config, const char* processor = nullptr) {
  const auto first = io::parse_json(config, "config").value();
  if (!processor) return partition_config(first, nullptr);
  const auto second = io::parse_json(processor, "processor").value();
  return partition_config(first, &second);
}

TEST(PartitionConfig, OriginalLayout) {
  const auto pad = from(R"({"mm_vision_tower":"openai/clip-vit-large-patch14-336","image_aspect_ratio":"pad"})");
  ASSERT_TRUE(pad);
  EXPECT_EQ(pad->method, "single");
  EXPECT_EQ(pad->fit, Fit::pad);
  EXPECT_EQ(pad->side, 336);
  EXPECT_EQ(pad->pack, PackMode::flat);
  EXPECT_EQ(pad->padding, (media::Colour{122, 116, 104}));
  const auto square = from(R"({"mm_vision_tower":"openai/clip-vit-large-patch14"})");
  EXPECT_EQ(square->fit, Fit::centre_crop);
  EXPECT_EQ(square->side, 224);
  const auto anyres =
      from(R"({"mm_vision_tower":"openai/clip-vit-large-patch14-336","image_aspect_ratio":"anyres","mm_patch_merge_type":"spatial_unpad",
                               "image_grid_pinpoints":[[336,672],[672,336]]})");
  EXPECT_EQ(anyres->method, "anyres");
  EXPECT_EQ(anyres->resolutions[0], (Size{336, 672}));
  EXPECT_EQ(anyres->pack, PackMode::spatial_unpad);
  const auto text = from(
      R"j({"mm_vision_tower":"google/siglip-so400m-patch14-384","image_aspect_ratio":"anyres_max_9","mm_patch_merge_type":"spatial_unpad",
                             "image_grid_pinpoints":"(1x1),...,(6x6)"})j");
  EXPECT_EQ(text->method, "anyres_max");
  EXPECT_EQ(text->max_tiles, 9);
  ASSERT_EQ(text->resolutions.size(), 36u);
  EXPECT_EQ(text->resolutions[1], (Size{384, 768}));
  EXPECT_EQ(text->padding, (media::Colour{127, 127, 127}));
  const auto listed =
      from(R"({"mm_vision_tower":"x-336","image_aspect_ratio":"anyres","image_grid_pinpoints":"[[336, 672], (672, 336)]"})");
  EXPECT_EQ(listed->resolutions[1], (Size{672, 336}));
}

TEST(PartitionConfig, ProcessorsOfTransformers) {
  const auto pad = from(
      R"({"model_type":"llava"})",
      R"({"image_processor_type":"LlavaImageProcessorFast","do_pad":true,"do_center_crop":true,"crop_size":336,"size":{"shortest_edge":336}})");
  EXPECT_EQ(pad->fit, Fit::pad);
  EXPECT_EQ(pad->side, 336);
  const auto siglip =
      from(R"({"model_type":"llava"})", R"({"image_processor_type":"SiglipImageProcessor","size":{"height":384,"width":384}})");
  EXPECT_EQ(siglip->fit, Fit::squash);
  EXPECT_EQ(siglip->mean[0], 0.5f);
  const auto crop = from(
      R"({"model_type":"llava"})",
      R"({"image_processor_type":"CLIPImageProcessor","size":{"shortest_edge":256},"crop_size":{"height":224,"width":224},"resample":2})");
  EXPECT_EQ(crop->fit, Fit::centre_crop);
  EXPECT_EQ(crop->side, 224);
  EXPECT_EQ(crop->shortest_edge, 256);
  EXPECT_EQ(crop->filter, media::Filter::bilinear);
  const auto bare = from(R"({"model_type":"llava","vision_config":{"model_type":"clip_vision_model","image_size":336}})");
  EXPECT_EQ(bare->side, 336);
  const auto next = from(R"({"model_type":"llava_next"})",
                         R"({"image_processor_type":"LlavaNextImageProcessor","size":{"shortest_edge":336},"crop_size":336})");
  EXPECT_EQ(next->method, "anyres");
  EXPECT_EQ(next->resolutions[0], (Size{672, 336}));  // the file lists height, width
}

TEST(PartitionConfig, HostileNumbers) {
  const char* processor = R"({"size":{"shortest_edge":336},"crop_size":336})";
  for (const char* config :
       {R"({"image_grid_pinpoints":[[336,0]]})", R"({"image_grid_pinpoints":[[336,-672]]})", R"({"image_grid_pinpoints":[[336,671]]})",
        R"({"image_grid_pinpoints":[[336,99999999999]]})", R"({"image_grid_pinpoints":[[336]]})", R"({"image_grid_pinpoints":[]})",
        R"({"image_grid_pinpoints":[[33600,33600]]})", R"({"image_grid_pinpoints":7})",
        R"j({"image_grid_pinpoints":"(1x1),...,(999x999)"})j", R"({"image_grid_pinpoints":"nothing"})",
        R"({"image_grid_pinpoints":"1 2 3"})"}) {
    std::string text = R"({"model_type":"llava_next",)";
    text += config + 1;
    EXPECT_FALSE(from(text.c_str(), processor)) << config;
  }
  for (const char* bad :
       {R"({"size":{"shortest_edge":0}})", R"({"size":{"shortest_edge":100000}})", R"({"size":{"height":336,"width":337}})",
        R"({"size":"x"})", R"({"size":{}})", R"({"size":336,"image_mean":[1,2]})", R"({"size":336,"image_std":[0,1,1]})",
        R"({"size":336,"image_mean":["a",1,1]})", R"({"size":336,"rescale_factor":1})", R"({"size":336,"resample":0})",
        R"({"size":336,"crop_size":1.5})", R"({"image_processor":7})"})
    EXPECT_FALSE(from(R"({"model_type":"llava"})", bad)) << bad;
  EXPECT_FALSE(from(R"({"model_type":"llava_onevision","vision_aspect_ratio":"anyres_max_0"})", R"({"size":{"height":384,"width":384}})"));
  EXPECT_FALSE(from(R"({"mm_vision_tower":"x","image_aspect_ratio":"sideways"})"));
  EXPECT_FALSE(from("[]"));
}

// A small projector file with the settings that matter here.
class Mmproj {
 public:
  explicit Mmproj(uint32_t side) {
    add("GGUF"), number(3u), number(uint64_t{0}), number(uint64_t{0});
    key("clip.vision.image_size", 4), number(side);
    reals("clip.vision.image_mean", {0.48145466f, 0.4578275f, 0.40821073f});
    reals("clip.vision.image_std", {0.26862954f, 0.26130258f, 0.27577711f});
  }
  void reals(std::string_view name, std::vector<float> values) {
    key(name, 9), number(6u), number(uint64_t{values.size()});
    for (const float value : values) number(value);
  }
  void ints(std::string_view name, std::vector<int32_t> values) {
    key(name, 9), number(5u), number(uint64_t{values.size()});
    for (const int32_t value : values) number(value);
  }
  void text(std::string_view name, std::string_view value) { key(name, 8), number(uint64_t{value.size()}), add(value); }
  Result<PartitionConfig> read() {
    std::memcpy(bytes_.data() + 16, &keys_, 8);
    const auto path = std::filesystem::temp_directory_path() / "lava-mmproj-test.gguf";
    std::ofstream(path, std::ios::binary) << bytes_;
    const auto file = io::Gguf::open(path);
    EXPECT_TRUE(file) << file.error().message();
    auto config = partition_config(**file);
    std::filesystem::remove(path);
    return config;
  }

 private:
  void add(std::string_view part) { bytes_ += part; }
  template <class T>
  void number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void key(std::string_view name, uint32_t type) { ++keys_, number(uint64_t{name.size()}), add(name), number(type); }

  std::string bytes_;
  uint64_t keys_ = 0;
};

TEST(PartitionConfig, ProjectorFiles) {
  Mmproj plain(336);
  const auto single = plain.read();
  ASSERT_TRUE(single) << single.error().message();
  EXPECT_EQ(single->method, "single");
  EXPECT_EQ(single->fit, Fit::pad);
  EXPECT_EQ(single->padding, (media::Colour{122, 116, 104}));
  Mmproj tiles(336);
  tiles.ints("clip.vision.image_grid_pinpoints", {336, 672, 672, 336});
  tiles.text("clip.vision.mm_patch_merge_type", "spatial_unpad");
  const auto anyres = tiles.read();
  ASSERT_TRUE(anyres) << anyres.error().message();
  EXPECT_EQ(anyres->method, "anyres");
  EXPECT_EQ(anyres->resolutions[0], (Size{336, 672}));
  EXPECT_EQ(anyres->pack, PackMode::spatial_unpad);
  Mmproj odd(336);
  odd.ints("clip.vision.image_grid_pinpoints", {336, 672, 672});
  EXPECT_FALSE(odd.read());
  Mmproj negative(336);
  negative.ints("clip.vision.image_grid_pinpoints", {-336, 672});
  EXPECT_FALSE(negative.read());
  Mmproj texts(336);
  texts.text("clip.vision.image_grid_pinpoints", "336");
  EXPECT_FALSE(texts.read());
  EXPECT_FALSE(Mmproj(0).read());
  EXPECT_FALSE(Mmproj(4'000'000'000).read());
}

TEST(PartitionConfig, ProjectorFileOfTheGgufPackage) {
  const auto file = io::Gguf::open(std::filesystem::path(LAVA_SOURCE_DIR) / "tests/fixtures/io/mmproj.gguf");
  ASSERT_TRUE(file) << file.error().message();
  const auto config = partition_config(**file);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->method, "anyres");
  EXPECT_EQ(config->side, 56);
  EXPECT_EQ(config->resolutions, (std::vector<Size>{{56, 112}, {112, 56}, {112, 112}}));
  EXPECT_EQ(make_partitioner(*config).value()->views({100, 40}, 1)->size(), 3u);
}

TEST(Partitioner, Names) {
  EXPECT_EQ(partitioner_names(), (std::vector<std::string>{"single", "anyres", "anyres_max"}));
  PartitionConfig config;
  config.method = "other";
  EXPECT_FALSE(make_partitioner(config));
  config.method = "anyres";
  config.side = 336;
  EXPECT_FALSE(make_partitioner(config));
}

}  // namespace
}  // namespace lava
