// The towers and the connector of the default model against the recipe's own code, with made-up weights where training would give them.
#include <cmath>
#include <functional>

#include "engine/core/detector.h"
#include "engine/encoders/detector_regions.h"
#include "engine/media/sha256.h"
#include "tests/engine/connectors/vision_support.h"
#include "tests/support/engine/made_weights.h"

namespace lava::testing {
namespace {

class MadeEmbeddings final : public TextEmbeddings {
 public:
  explicit MadeEmbeddings(int width) : width_(width) {}
  int width() const override { return width_; }
  Result<std::vector<float>> mean_embedding(std::string_view text) const override {
    return test::made_numbers("text:" + std::string(text), static_cast<size_t>(width_));
  }

 private:
  int width_;
};

const nlohmann::json& golden() {
  static const nlohmann::json read = read_json(fixtures() / "regions/cases.json");
  return read;
}

struct Model {
  Folder folder;
  MadeEmbeddings embeddings{golden()["width"]};
  nlohmann::json vision = test::write_made_vision(folder.path(), golden());

  Result<VisionPart> open() const {
    VisionOptions options;
    options.text_width = embeddings.width();
    options.embeddings = &embeddings;
    return open_vision_manifest(cpu(), folder.path(), vision, options);
  }
};

const VisionPart& part() {
  static const Model model;
  static const VisionPart opened = take(model.open());
  return opened;
}

media::Picture picture_of(const nlohmann::json& one) {
  media::Picture picture = take(media::read_picture(std::filesystem::path(LAVA_SOURCE_DIR) / "resources/demo" / one["picture"].get<std::string>()));
  const auto& p = one["part"];  // left, top, right, bottom
  if (!p.is_null()) picture = media::crop(picture, {p[0], p[1], p[2].get<int>() - p[0].get<int>(), p[3].get<int>() - p[1].get<int>()});
  return picture;
}

Signals wanted_of(const nlohmann::json& one) {
  Signals wanted;
  wanted.objects = true;
  for (const auto& b : one["given"]) wanted.places.push_back({b[0], b[1], b[2], b[3]});
  return wanted;
}

// One of the golden's pictures as the tower sees it.
struct Encoded {
  media::Picture picture;
  Workspace space{take(part().arena_bytes())};
  lava::Run run = space.run();
  decltype(take(part().plan({}, 1))) planned;
  Features features;

  explicit Encoded(const nlohmann::json& one)
      : picture(picture_of(one)), planned(take(part().plan(picture.size(), 1))), features(take(part().encoder->encode(run, planned.first, picture, wanted_of(one)))) {}
};

void expect_box(const Box& box, const nlohmann::json& wanted) {
  const float values[4] = {box.x1, box.y1, box.x2, box.y2};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(values[i], wanted[i].get<float>(), 1e-4) << i;
}

void expect_values(const float* values, int step, const nlohmann::json& wanted, double tolerance, const char* what) {
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(values[static_cast<int>(i) * step], wanted[i].get<float>(), tolerance) << what << " " << i;
}

TEST(RegionCrops, ColourNamesOfTheRecipe) {
  ASSERT_EQ(golden()["colours"].size(), 512u);
  for (const auto& c : golden()["colours"]) EXPECT_EQ(regions::colour_of(c[0], c[1], c[2]), c[3].get<int>()) << c;
}

// A crop is given the recipe's rounded box, so a few boxes on the edge of a pixel may differ; none does here.
TEST(RegionCrops, TheBytesOfPillow) {
  for (const auto& one : golden()["cases"]) {
    const media::Picture picture = picture_of(one);
    int different = 0;
    for (const auto& region : one["regions"]) {
      const auto& b = region["box"];
      const regions::Crop crop = regions::crop_of(picture, {b[0], b[1], b[2], b[3]});
      different += media::sha256_hex(std::as_bytes(std::span(crop.pixels.rgb))) != region["crop_sha256"].get<std::string>();
    }
    EXPECT_EQ(different, 0) << one["picture"];
  }
}

TEST(DetectorRegions, FeaturesOfTheRecipe) {
  for (const auto& one : golden()["cases"]) {
    SCOPED_TRACE(one["picture"].get<std::string>());
    const Encoded encoded(one);
    const Features& features = encoded.features;
    const auto& regions = one["regions"];
    ASSERT_EQ(features.objects.size() + 1, regions.size());
    for (size_t i = 0; i < regions.size(); ++i) {
      SCOPED_TRACE(i);
      const auto& wanted = regions[i];
      const float* x = i == 0 ? features.grids[0].f32() : features.object_features[i - 1].f32();
      const float* p = i == 0 ? x + DetectorRegions::object_width : features.object_classes[i - 1].f32();
      if (i > 0) {
        expect_box(features.objects[i - 1].box, wanted["box"]);
        EXPECT_NEAR(features.objects[i - 1].score, wanted["score"].get<float>(), 1e-4);
        EXPECT_EQ(features.objects[i - 1].pointed, i + one["given"].size() >= regions.size());
      }
      expect_values(x, 40, wanted["embedding"], 1e-3, "embedding");
      expect_values(x + DetectorRegions::classes_at, 9, wanted["roots"], 1e-4, "roots");
      expect_values(x + DetectorRegions::colours_at, 1, wanted["colours"], 1e-5, "colours");
      expect_values(x + DetectorRegions::score_at, 1, wanted["last"], 1e-4, "last");
      EXPECT_EQ(std::max_element(p, p + 1000) - p, wanted["best_class"].get<int>());
      EXPECT_NEAR(*std::max_element(p, p + 1000), wanted["best_probability"].get<float>(), 1e-3);
    }
  }
}

TEST(ObjectWords, RowsOfTheRecipe) {
  for (const auto& one : golden()["cases"]) {
    SCOPED_TRACE(one["picture"].get<std::string>());
    Encoded encoded(one);
    const auto& [views, plan] = encoded.planned;
    const PictureRows rows = take(part().connector->fill(encoded.run, views, encoded.picture.size(), 1, encoded.features));
    ASSERT_EQ(rows.info.size(), one["rows"].size());
    EXPECT_LE(static_cast<int>(rows.info.size()), plan.rows);
    for (size_t r = 0; r < rows.info.size(); ++r) {
      const float* row = rows.rows.data() + r * static_cast<size_t>(rows.width);
      double sum = 0, squares = 0;
      for (int i = 0; i < rows.width; ++i) sum += row[i], squares += double{row[i]} * row[i];
      expect_values(row, 1, one["rows"][r]["start"], 5e-4, "row");
      EXPECT_NEAR(sum / rows.width, one["rows"][r]["mean"].get<double>(), 1e-4) << r;
      EXPECT_NEAR(std::sqrt(squares / rows.width), one["rows"][r]["rms"].get<double>(), 2e-4) << r;
    }
    EXPECT_EQ(rows.info[1].kind, RowKind::image);
    EXPECT_EQ(rows.info[2].kind, RowKind::object);
    EXPECT_EQ(rows.info.back().kind, one["given"].empty() ? RowKind::object : RowKind::region);
    for (size_t k = 0; k < rows.objects.size(); ++k) {
      const auto& nouns = one["regions"][k + 1]["nouns"];
      const auto best = static_cast<size_t>(std::max_element(nouns.begin(), nouns.end()) - nouns.begin());
      EXPECT_EQ(rows.objects[k].label, best + 1 < nouns.size() ? golden()["config"]["nouns"][best].get<std::string>() : std::string()) << k;
    }
  }
}

TEST(DetectorRegions, PlacesTakeTheRoomOfWhatIsFound) {
  const media::Picture picture = picture_of(golden()["cases"][0]);
  Workspace space(take(part().arena_bytes()));
  lava::Run run = space.run();
  const auto [views, plan] = take(part().plan(picture.size(), 1));
  Signals wanted;
  wanted.objects = true;
  wanted.places.assign(4, {0.1f, 0.2f, 0.3f, 0.4f});
  const Features features = take(part().encoder->encode(run, views, picture, wanted));
  EXPECT_EQ(features.objects.size(), 10u);
  EXPECT_FALSE(features.objects[5].pointed);
  EXPECT_TRUE(features.objects[6].pointed);
  wanted.places.resize(11);
  const auto refused = part().encoder->encode(run, views, picture, wanted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::too_large);
  wanted.places.clear(), wanted.layers = {3};
  EXPECT_FALSE(part().encoder->encode(run, views, picture, wanted));
}

TEST(VisionPartPlaces, ChangeKeyAndRows) {
  const media::Picture picture = picture_of(golden()["cases"][2]);
  const PictureRequest plain{"a", {}}, pointed{"a", {{0.1f, 0.2f, 0.5f, 0.65f}}}, elsewhere{"a", {{0.1f, 0.2f, 0.5f, 0.66f}}};
  const auto key = [&](const PictureRequest& request) { return take(part().key(picture.size(), 1, request)); };
  EXPECT_NE(key(plain), key(pointed));
  EXPECT_NE(key(elsewhere), key(pointed));
  Workspace space(take(part().arena_bytes()));
  lava::Run run = space.run();
  const PictureRows a = take(part().encode(run, picture, 1, plain)), b = take(part().encode(run, picture, 1, pointed));
  EXPECT_EQ(b.key, key(pointed));
  ASSERT_EQ(b.objects.size(), a.objects.size() + 1);
  EXPECT_TRUE(b.objects.back().pointed);
  EXPECT_FLOAT_EQ(b.objects.back().box.y2, 0.65f);
  EXPECT_EQ(b.info.back().kind, RowKind::region);
  // What is found is told in the same rows.
  for (size_t i = 0; i < a.rows.size(); ++i) ASSERT_NEAR(a.rows[i], b.rows[i], 1e-4) << i;
}

std::string refusal(const std::function<void(nlohmann::json&)>& change) {
  const Model model;
  nlohmann::json config = golden()["config"];
  change(config);
  model.folder.write("config.json", config.dump());
  const auto opened = model.open();
  return opened ? std::string() : opened.error().message();
}

TEST(ObjectWords, ConfigurationsAreChecked) {
  EXPECT_EQ(refusal([](nlohmann::json&) {}), "");
  EXPECT_NE(refusal([](nlohmann::json& c) { c["imagenet"][7] = 15; }).find("imagenet"), std::string::npos);
  EXPECT_NE(refusal([](nlohmann::json& c) { c["imagenet"][7] = -2; }).find("imagenet"), std::string::npos);
  EXPECT_NE(refusal([](nlohmann::json& c) { c["imagenet"][7] = 18446744073709551615u; }).find("imagenet"), std::string::npos);
  EXPECT_NE(refusal([](nlohmann::json& c) { c["imagenet"].erase(0); }).find("imagenet"), std::string::npos);
  EXPECT_NE(refusal([](nlohmann::json& c) { c["colours"].erase(0); }).find("colours"), std::string::npos);
  EXPECT_NE(refusal([](nlohmann::json& c) { c["nouns"].push_back("more"); }).find("heads.noun.weight"), std::string::npos);
  EXPECT_NE(refusal([](nlohmann::json& c) { c.erase("coco"); }).find("classes"), std::string::npos);
}

TEST(OpenVisionManifest, UnknownPartsAreNamed) {
  for (const auto& [key, name] : {std::pair("encoder", "mlp"), {"connector", "detector_regions"}}) {
    Model model;
    model.vision[key] = name;
    const auto opened = model.open();
    ASSERT_FALSE(opened) << key;
    EXPECT_EQ(opened.error().kind, Error::Kind::unsupported);
    EXPECT_NE(opened.error().message().find(name), std::string::npos) << opened.error().message();
  }
}

TEST(ObjectWords, RefusesAnotherLanguageModel) {
  Model model;
  VisionOptions options;
  const MadeEmbeddings wide(96);
  options.text_width = 96, options.embeddings = &wide;
  const auto opened = open_vision_manifest(cpu(), model.folder.path(), model.vision, options);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("96"), std::string::npos) << opened.error().message();
}

// POST /v1/detect asks the detector inside the tower.
TEST(DetectorRegions, ItsDetectorNamesByItself) {
  const auto detector = take(Detector::borrow(cpu(), *part().encoder->detector()));
  const auto found = take(detector->detect(take(media::read_picture(fixtures() / "default/chelsea.png")), {}));
  ASSERT_EQ(found.objects.size(), 1u);
  EXPECT_EQ(found.objects[0].label, "cat");
}

}  // namespace
}  // namespace lava::testing
