// Rows of pictures against what transformers computes for the same tiny models.
#include <cmath>
#include <numeric>

#include "engine/encoders/vit.h"
#include "engine/io/safetensors.h"
#include "tests/engine/connectors/vision_support.h"

namespace lava::testing {
namespace {

constexpr double tolerance = 2e-4;

std::filesystem::path model_folder(const std::string& name) { return fixtures() / "transformers" / name; }

VisionPart open_model(const std::string& name) {
  const auto config = read_json(model_folder(name) / "config.json");
  VisionOptions options;
  options.text_width = config["text_config"]["hidden_size"];
  return take(open_vision_folder(cpu(), model_folder(name), options));
}

// How far the rows are from the statistics and the first values that the fixture has; infinity for another shape.
double distance(const PictureRows& rows, const nlohmann::json& wanted) {
  const double count = static_cast<double>(rows.rows.size());
  if (wanted["shape"][1] != rows.width || wanted["shape"][0] != rows.info.size() || rows.rows.size() != rows.info.size() * static_cast<size_t>(rows.width))
    return std::numeric_limits<double>::infinity();
  double sum = 0, magnitude = 0;
  for (const float v : rows.rows) sum += v, magnitude += std::abs(v);
  double most = std::max(std::abs(sum / count - wanted["mean"].get<double>()), std::abs(magnitude / count - wanted["mean_abs"].get<double>()));
  const size_t last = rows.rows.size() - static_cast<size_t>(rows.width);
  for (size_t i = 0; i < wanted["row0_first8"].size(); ++i) {
    most = std::max(most, std::abs(rows.rows[i] - wanted["row0_first8"][i].get<double>()));
    most = std::max(most, std::abs(rows.rows[last + i] - wanted["last_row_first8"][i].get<double>()));
  }
  return most;
}

class GoldenFeatures : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenFeatures, EveryPictureOfEveryCase) {
  const VisionPart part = open_model(GetParam());
  const auto expect = read_json(model_folder(GetParam()) / "expect.json");
  int compared = 0;
  for (const auto& test : expect["cases"]) {
    if (!test.contains("pictures") || test.contains("video")) continue;
    const int pictures = static_cast<int>(test["pictures"].size());
    for (int i = 0; i < pictures; ++i) {
      SCOPED_TRACE(test["name"].get<std::string>() + " " + test["pictures"][i].get<std::string>());
      const auto picture = take(media::read_picture(model_folder(GetParam()) / test["pictures"][i].get<std::string>()));
      const PictureRows rows = encode(part, picture, pictures);
      EXPECT_EQ(rows.info.size(), test["n_image_tokens"][i]);
      EXPECT_LT(distance(rows, test["features_after_projector_and_packing"][i]), tolerance);
      const auto [views, plan] = take(part.plan(picture.size(), pictures));
      EXPECT_TRUE(plan.exact);
      EXPECT_EQ(plan.rows, static_cast<int>(rows.info.size()));
      ++compared;
    }
  }
  EXPECT_GE(compared, 6);
}

INSTANTIATE_TEST_SUITE_P(Transformers, GoldenFeatures,
                         ::testing::Values("llava15", "llava15__legacy", "llava_next", "llava_next__legacy", "llava_onevision", "llava_onevision__legacy"),
                         [](const auto& info) { return std::string(info.param); });

// The same tensors under other names.
class Renamed final : public io::TensorSource {
 public:
  Renamed(const io::TensorSource& source, std::function<std::string(std::string)> rename) : source_(source), rename_(std::move(rename)) {}
  const io::TensorEntry* find(std::string_view name) const override { return source_.find(rename_(std::string(name))); }
  std::span<const io::TensorEntry> tensors() const override { return source_.tensors(); }
  std::string describe() const override { return source_.describe(); }

 private:
  const io::TensorSource& source_;
  std::function<std::string(std::string)> rename_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// Distance of llava15's first case when its tower is loaded differently.
double distance_with(const std::function<void(VitConfig&)>& change, const std::function<std::string(std::string)>& rename) {
  VisionPart part = open_model("llava15");
  VitConfig config = dynamic_cast<Vit&>(*part.encoder).config();
  change(config);
  const Renamed source(*part.sources.front(), rename);
  const EncoderInfo info = part.encoder->info();
  part.encoder = take(Vit::load(*part.weights, source, *VitNames::find_hugging_face(source), config, info.mean, info.std, Precision::exact));
  const auto test = read_json(model_folder("llava15") / "expect.json")["cases"][0];
  const auto picture = take(media::read_picture(model_folder("llava15") / test["pictures"][0].get<std::string>()));
  return distance(encode(part, picture), test["features_after_projector_and_packing"][0]);
}

TEST(GoldenFeaturesGuard, TheGoldenNoticesWrongTowers) {
  const auto same = [](std::string name) { return name; };
  EXPECT_LT(distance_with([](VitConfig&) {}, same), tolerance);
  EXPECT_GT(distance_with([](VitConfig& c) { c.outputs = {1}; }, same), 0.05) << "one block too few";
  EXPECT_GT(distance_with([](VitConfig& c) { c.outputs = {3}; }, same), 0.05) << "one block too many";
  EXPECT_GT(distance_with([](VitConfig&) {}, [](std::string n) {
              return n.find("layers.0.") != std::string::npos ? replaced(n, "layers.0.", "layers.1.") : replaced(n, "layers.1.", "layers.0.");
            }), 0.05) << "blocks exchanged";
  EXPECT_GT(distance_with([](VitConfig&) {}, [](std::string n) { return replaced(n, "pre_layrnorm", "post_layernorm"); }), 0.05) << "another norm";
  EXPECT_GT(distance_with([](VitConfig& c) { c.activation = Activation::gelu_tanh; }, same), 2 * tolerance) << "another GELU";
}

TEST(GoldenFeaturesGuard, ManyViewsTogetherAreAsOneByOne) {
  VisionPart part = open_model("llava_onevision");
  const auto picture = take(media::read_picture(model_folder("llava_onevision") / "scene.png"));
  const auto views = take(part.partitioner->views(picture.size(), 1));
  ASSERT_GT(views.size(), 8u);
  Workspace space(take(part.arena_bytes()));
  lava::Run run = space.run();
  const Features all = take(part.encoder->encode(run, views, picture, {}));
  for (size_t i = 0; i < views.size(); ++i) {
    const auto scope = run.arena.scope();
    Workspace own(take(part.arena_bytes()));
    lava::Run single = own.run();
    const Features one = take(part.encoder->encode(single, std::span(views).subspan(i, 1), picture, {}));
    for (int64_t k = 0; k < one.grids[0].elements(); ++k) ASSERT_NEAR(one.grids[0].f32()[k], all.grids[i].f32()[k], 1e-5);
  }
}

TEST(GoldenFeaturesGuard, StopsWhenAsked) {
  const VisionPart part = open_model("llava15");
  Workspace space(take(part.arena_bytes()));
  const std::atomic<bool> cancel = true;
  lava::Run run = space.run(&cancel);
  const auto rows = part.encode(run, media::blank_picture({50, 40}, 1, 2, 3), 1, {});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, Error::Kind::cancelled);
}

}  // namespace
}  // namespace lava::testing
