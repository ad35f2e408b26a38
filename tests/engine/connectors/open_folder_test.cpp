// Folders in the layouts that exist, and folders that cannot work.
#include "engine/core/parts.h"
#include "engine/encoders/towers.h"
#include "engine/partition/partition_config.h"
#include "tests/engine/connectors/vision_support.h"

namespace lava::testing {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// A safetensors file with its tensors renamed; entries that become "" are left out of the listing.
std::string renamed(const std::string& file, const std::function<std::string(std::string)>& rename) {
  uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  const auto header = nlohmann::json::parse(file.substr(8, length));
  nlohmann::json changed;
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__") changed[rename(name)] = entry;
  const std::string text = changed.dump();
  const uint64_t size = text.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &size, 8);
  return out + text + file.substr(8 + length);
}

std::filesystem::path model(const std::string& name) { return fixtures() / "transformers" / name; }

struct Copy {
  explicit Copy(const std::string& name) : config(read_json(model(name) / "config.json")) {
    for (const char* file : {"preprocessor_config.json", "processor_config.json"})
      if (std::filesystem::exists(model(name) / file)) folder.copy(model(name) / file);
    weights = bytes_of(model(name) / "model.safetensors");
  }
  Result<VisionPart> open() {
    folder.write("config.json", config.dump());
    folder.write("model.safetensors", weights);
    VisionOptions options;
    options.text_width = 64;
    return open_vision_folder(cpu(), folder.path(), options);
  }
  Folder folder;
  nlohmann::json config;
  std::string weights;
};

PictureRows rows_of(const VisionPart& part) { return encode(part, take(media::read_picture(model("llava15") / "scene.png"))); }

TEST(OpenFolder, NamesOfNewerVersionsAndOfTheOriginal) {
  Copy reference("llava15");
  const PictureRows wanted = rows_of(take(reference.open()));
  const auto changed = [](std::string name, const std::string& tower, const std::string& projector) {
    if (name.starts_with("vision_tower.")) return tower + name.substr(13);
    if (name.starts_with("multi_modal_projector.linear_1")) return projector + (projector.ends_with("linear_") ? "1" : "0") + name.substr(30);
    if (name.starts_with("multi_modal_projector.linear_2")) return projector + "2" + name.substr(30);
    return name;
  };
  const std::pair<const char*, const char*> layouts[] = {{"model.vision_tower.", "model.multi_modal_projector.linear_"},
                                                         {"model.vision_tower.vision_model.", "model.multi_modal_projector.linear_"},
                                                         {"model.vision_tower.vision_tower.vision_model.", "model.mm_projector."}};
  for (const auto& [tower, projector] : layouts) {
    Copy copy("llava15");
    copy.weights = renamed(copy.weights, [&, t = tower, p = projector](std::string name) { return changed(std::move(name), t, p); });
    EXPECT_EQ(difference(rows_of(take(copy.open())), wanted), 0) << tower;
  }
}

// The original layout of LLaVA-1.5 leaves the tower to another download.
TEST(OpenFolder, MissingTowerIsNamed) {
  Copy copy("llava15");
  copy.config = {{"model_type", "llava"}, {"mm_vision_tower", "openai/clip-vit-large-patch14-336"}, {"mm_projector_type", "mlp2x_gelu"},
                 {"mm_vision_select_layer", -2}, {"image_aspect_ratio", "pad"}};
  copy.weights = renamed(copy.weights, [](std::string name) { return name.starts_with("vision_tower.") ? "elsewhere." + name : name; });
  const auto part = copy.open();
  ASSERT_FALSE(part);
  EXPECT_EQ(part.error().kind, Error::Kind::not_found);
  EXPECT_NE(part.error().message().find("openai/clip-vit-large-patch14-336"), std::string::npos) << part.error().message();
  EXPECT_NE(part.error().remedy.find("Download"), std::string::npos);
}

// ... which is found in a folder of its name beside the model.
TEST(OpenFolder, TowerBesideTheModelIsUsed) {
  Copy reference("llava15");
  const PictureRows wanted = rows_of(take(reference.open()));
  Copy copy("llava15");
  const std::filesystem::path tower = copy.folder.path() / "clip-vit-tiny";
  std::filesystem::create_directory(tower);
  std::ofstream(tower / "config.json") << nlohmann::json{{"model_type", "clip"}, {"vision_config", copy.config["vision_config"]}}.dump();
  std::ofstream(tower / "model.safetensors", std::ios::binary)
      << renamed(copy.weights, [](std::string name) { return name.starts_with("vision_tower.") ? "vision_model." + name.substr(13) : "other." + name; });
  copy.config = {{"model_type", "llava"}, {"mm_vision_tower", "someone/clip-vit-tiny"}, {"mm_projector_type", "mlp2x_gelu"}, {"mm_vision_select_layer", -2}};
  copy.weights = renamed(copy.weights, [](std::string name) { return name.starts_with("vision_tower.") ? "elsewhere." + name : name; });
  VisionPart part = take(copy.open());
  part.partitioner = std::move(take(reference.open()).partitioner);
  EXPECT_EQ(difference(rows_of(part), wanted), 0);
}

TEST(OpenFolder, HiddenStatesAreCountedAndJoined) {
  Copy plain("llava15");
  const PictureRows two_from_the_end = rows_of(take(plain.open()));
  plain.config["vision_feature_layer"] = 2;  // of 0 .. 3: the same
  EXPECT_EQ(difference(rows_of(take(plain.open())), two_from_the_end), 0);
  plain.config["vision_feature_layer"] = -1;
  EXPECT_GT(difference(rows_of(take(plain.open())), two_from_the_end), 0.05f);
  plain.config["vision_feature_layer"] = {-2, 1};  // twice the channels: the projector does not take that
  const auto part = plain.open();
  ASSERT_FALSE(part);
  EXPECT_NE(part.error().message().find("128"), std::string::npos) << part.error().message();
}

TEST(OpenFolder, KeepsTheClassRowWhenToldSo) {
  Copy copy("llava15");
  const PictureRows patches = rows_of(take(copy.open()));
  copy.config["vision_feature_select_strategy"] = "full";
  const PictureRows all = rows_of(take(copy.open()));
  ASSERT_EQ(all.info.size(), patches.info.size() + 1);
  for (size_t i = 0; i < patches.rows.size(); ++i) ASSERT_EQ(all.rows[i + 64], patches.rows[i]);
}

TEST(OpenFolder, HostileConfigurationsAreSentences) {
  const std::pair<const char*, nlohmann::json> changes[] = {
      {"/vision_config/hidden_size", 0},          {"/vision_config/hidden_size", -64},       {"/vision_config/hidden_size", 1e12},
      {"/vision_config/hidden_size", "64"},       {"/vision_config/hidden_size", 96},        {"/vision_config/num_hidden_layers", 1'000'000},
      {"/vision_config/num_hidden_layers", 9},    {"/vision_config/num_attention_heads", 5}, {"/vision_config/intermediate_size", 2'000'000'000},
      {"/vision_config/patch_size", 0},           {"/vision_config/patch_size", 3},          {"/vision_config/patch_size", 57},
      {"/vision_config/image_size", 1'000'000'000}, {"/vision_config/image_size", 70},       {"/vision_config/layer_norm_eps", -1},
      {"/vision_config/layer_norm_eps", "small"}, {"/vision_config/hidden_act", "mystery"},  {"/vision_config/model_type", "dinov2"},
      {"/vision_config/num_channels", 4},         {"/vision_feature_layer", -5},             {"/vision_feature_layer", 99},
      {"/vision_feature_layer", {1e300}},         {"/vision_feature_layer", nlohmann::json::array({-2.5})}, {"/vision_feature_layer", nlohmann::json::array()},
      {"/vision_feature_select_strategy", "some"}, {"/projector_hidden_act", "mystery"},     {"/model_type", 7},
      {"/vision_config", 7}};
  for (const auto& [pointer, value] : changes) {
    Copy copy("llava15");
    copy.config[nlohmann::json::json_pointer(pointer)] = value;
    const auto part = copy.open();
    ASSERT_FALSE(part) << pointer << " " << value;
    EXPECT_FALSE(part.error().what.empty());
  }
}

TEST(OpenFolder, MissingTensorsAreNamed) {
  for (const std::string tensor : {"multi_modal_projector.linear_2.weight", "vision_tower.encoder.layers.1.mlp.fc2.bias", "vision_tower.pre_layrnorm.weight"}) {
    Copy copy("llava15");
    copy.weights = renamed(copy.weights, [&](std::string name) { return name == tensor ? "lost" : name; });
    const auto part = copy.open();
    ASSERT_FALSE(part) << tensor;
  }
}

TEST(OpenFolder, OtherLanguageModelIsRefused) {
  VisionOptions options;
  options.text_width = 100;
  const auto part = open_vision_folder(cpu(), model("llava_next"), options);
  ASSERT_FALSE(part);
  EXPECT_NE(part.error().message().find("96"), std::string::npos);
  EXPECT_NE(part.error().message().find("100"), std::string::npos);
}

// Towers of these models look at the whole picture.
TEST(OpenFolder, CannotBePointedAt) {
  Copy copy("llava15");
  const VisionPart part = take(copy.open());
  Workspace space(take(part.arena_bytes()));
  lava::Run run = space.run();
  const auto rows = part.encode(run, media::blank_picture({50, 40}, 1, 2, 3), 1, {"content", {{0, 0, 1, 1}}});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, Error::Kind::unsupported);
}

TEST(OpenFolder, PicturesKeepTheirKeysAcrossPrompts) {
  const VisionPart next = take([] {
    VisionOptions options;
    options.text_width = 96;
    return open_vision_folder(cpu(), model("llava_next"), options);
  }());
  EXPECT_EQ(take(next.key({320, 240}, 1, {"a", {}})), take(next.key({320, 240}, 2, {"a", {}})));
  EXPECT_NE(take(next.key({320, 240}, 1, {"a", {}})), take(next.key({320, 240}, 1, {"b", {}})));
  VisionOptions options;
  options.text_width = 64;
  const VisionPart one = take(open_vision_folder(cpu(), model("llava_onevision"), options));
  EXPECT_NE(take(one.key({320, 240}, 1, {"a", {}})), take(one.key({320, 240}, 2, {"a", {}})));
}

TEST(Parts, TheListNamesWhatIsRegistered) {
  const std::vector<PartInfo> parts = list_parts();
  const auto names = [&](std::string_view kind) {
    std::vector<std::string> result;
    for (const PartInfo& part : parts)
      if (part.kind == kind) result.emplace_back(part.name);
    return result;
  };
  EXPECT_EQ(names("partition"), partitioner_names());
  EXPECT_EQ(names("connector"), (std::vector<std::string>{"mlp", "object_words"}));
  for (const std::string& tower : names("encoder")) EXPECT_NE(find_tower(tower), nullptr);
  EXPECT_EQ(find_tower("clip_vision_model")->name, "clip");
  EXPECT_EQ(find_tower("resnet"), nullptr);
}

}  // namespace
}  // namespace lava::testing
