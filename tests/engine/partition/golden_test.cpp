// Views and token counts of the tiny models under tests/fixtures/transformers against what the transformers library computed.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/io/json_file.h"
#include "engine/partition/partition_config.h"

namespace lava {
namespace {

using nlohmann::json;

struct Moments {
  double mean = 0, mean_abs = 0;
};

Moments moments(const std::vector<float>& values) {
  Moments out;
  for (const float value : values) out.mean += value, out.mean_abs += std::abs(value);
  out.mean /= static_cast<double>(values.size());
  out.mean_abs /= static_cast<double>(values.size());
  return out;
}

std::vector<float> tensor_of(const media::Picture& picture, const View& view, const PartitionConfig& config) {
  const media::Picture shown = render_view(picture, view);
  EXPECT_EQ(shown.size(), view.size);
  std::vector<float> values(shown.rgb.size());
  media::to_tensor(shown, config.mean, config.std, values.data());
  return values;
}

// Pictures of one case, view by view; returns how many views were compared. The library pads the list of every picture with zeros to the
// length of the longest.
size_t check_views(const std::filesystem::path& folder, const json& one, const PartitionConfig& config, const Partitioner& partitioner) {
  const json& listed = one["views"];
  const json& shape = one["pixel_values_shape"];
  size_t at = 0, padded = 0;
  for (const json& name : one["pictures"]) {
    const auto picture = media::read_picture(folder / name.get<std::string>());
    EXPECT_TRUE(picture) << name;
    const int together = one.value("nested", false) ? static_cast<int>(one["pictures"].size()) : 1;
    const auto views = partitioner.views(picture->size(), together);
    EXPECT_TRUE(views);
    while (at < listed.size() && listed[at]["mean_abs"] == 0.0) ++padded, ++at;
    for (const View& view : *views) {
      const std::vector<float> values = tensor_of(*picture, view, config);
      EXPECT_LT(at, listed.size()) << "more views than the library has";
      if (at >= listed.size()) return at;
      EXPECT_NEAR(moments(values).mean, listed[at]["mean"].get<double>(), 1e-5) << name << " view " << at;
      EXPECT_NEAR(moments(values).mean_abs, listed[at]["mean_abs"].get<double>(), 1e-5) << name << " view " << at;
      const size_t plane = static_cast<size_t>(config.side) * static_cast<size_t>(config.side);
      for (size_t c = 0; at == 0 && c < 3; ++c)
        for (size_t x = 0; x < 8; ++x) EXPECT_NEAR(values[c * plane + x], one["view0_row0_first8_rgb"][c][x].get<double>(), 1e-5) << name;
      ++at;
    }
  }
  while (at < listed.size() && listed[at]["mean_abs"] == 0.0) ++padded, ++at;
  EXPECT_EQ(at, listed.size()) << "fewer views than the library has";
  EXPECT_EQ(shape[shape.size() - 1], config.side);
  return at - padded;
}

size_t check_model(const std::string& name) {
  const auto folder = std::filesystem::path(LAVA_SOURCE_DIR) / "tests/fixtures/transformers" / name;
  const auto config = read_partition_config(folder);
  EXPECT_TRUE(config) << config.error().message();
  const auto partitioner = make_partitioner(*config);
  EXPECT_TRUE(partitioner);
  const int patch = io::read_json(folder / "config.json").value()["vision_config"]["patch_size"];
  const int cells = config->side / patch;
  const json expect = io::read_json(folder / "expect.json").value();
  size_t views = 0;
  for (const json& one : expect["cases"]) {
    if (!one.contains("pictures") || one.value("video", false)) continue;
    SCOPED_TRACE(name + " " + one["name"].get<std::string>());
    const size_t seen = check_views(folder, one, *config, **partitioner);
    views += seen;
    const int together = one.value("nested", false) ? static_cast<int>(one["pictures"].size()) : 1;
    for (size_t i = 0; i < one["pictures"].size(); ++i) {
      const Size size = media::read_picture(folder / one["pictures"][i].get<std::string>())->size();
      const auto list = (*partitioner)->views(size, together).value();
      const PackPlan plan = pack_plan(size, list, {config->pack, {cells, cells}, config->max_tiles});
      EXPECT_EQ(plan.tokens, one["n_image_tokens"][i].get<int>());
    }
  }
  return views;
}

TEST(Golden, Llava15) { EXPECT_GE(check_model("llava15"), 4u); }
TEST(Golden, Llava15Legacy) { EXPECT_GE(check_model("llava15__legacy"), 4u); }
TEST(Golden, LlavaNext) { EXPECT_GE(check_model("llava_next"), 12u); }
TEST(Golden, LlavaNextLegacy) { EXPECT_GE(check_model("llava_next__legacy"), 12u); }
TEST(Golden, LlavaOnevision) { EXPECT_GE(check_model("llava_onevision"), 30u); }
TEST(Golden, LlavaOnevisionLegacy) { EXPECT_GE(check_model("llava_onevision__legacy"), 30u); }

}  // namespace
}  // namespace lava
