// The vision half of the default model against an independent implementation: objects, number and means of the rows.
#include <cstdlib>

#include "engine/connectors/object_words.h"
#include "engine/io/gguf.h"
#include "engine/text/gguf_vocabulary.h"
#include "kernels/formats/formats.h"
#include "tests/engine/connectors/vision_support.h"

namespace lava::testing {
namespace {

// The language model's own file: its vocabulary and its embedding table, read row by row.
class GgufEmbeddings final : public TextEmbeddings {
 public:
  explicit GgufEmbeddings(const std::filesystem::path& path) : file_(take(io::Gguf::open(path))) {
    tokenizer_ = take(text::from_gguf(take(text::vocabulary_of(*file_))));
    table_ = file_->find("token_embd.weight");
  }
  int width() const override { return static_cast<int>(table_->shape[1]); }
  Result<std::vector<float>> mean_embedding(std::string_view text) const override {
    LAVA_TRY(const std::vector<int32_t> ids, tokenizer_->encode(text));
    std::vector<float> mean(static_cast<size_t>(width())), row(mean.size());
    for (const int32_t id : ids) {
      dequantize_row(table_->dtype, table_->bytes.data() + static_cast<size_t>(id) * row_bytes(table_->dtype, width()), row.data(), width());
      for (size_t i = 0; i < mean.size(); ++i) mean[i] += row[i] / static_cast<float>(ids.size());
    }
    return mean;
  }

 private:
  std::unique_ptr<io::Gguf> file_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  const io::TensorEntry* table_ = nullptr;
};

std::filesystem::path language_model() {
  const std::string file = "smollm2-135m-instruct-q4_1/SmolLM2-135M-Instruct.Q4_1.gguf";
  std::vector<std::filesystem::path> places;
  if (const char* models = std::getenv("LAVASCOPE_MODELS")) places.emplace_back(models);
  if (const char* home = std::getenv("HOME")) places.push_back(std::filesystem::path(home) / ".local/share/lavascope/models");
  for (const auto& place : places)
    if (std::filesystem::exists(place / file)) return place / file;
  return {};
}

class DefaultModel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto model = language_model();
    if (model.empty()) return;
    embeddings_ = std::make_unique<GgufEmbeddings>(model);
    part_ = std::make_unique<VisionPart>(open(*embeddings_, embeddings_->width()).value());
  }
  static void TearDownTestSuite() {
    part_.reset();
    embeddings_.reset();
  }
  void SetUp() override {
    if (!part_) GTEST_SKIP() << "SmolLM2-135M-Instruct is not on this computer";
  }
  static Result<VisionPart> open(const TextEmbeddings& embeddings, int width) {
    const auto folder = resources() / "default";
    VisionOptions options;
    options.text_width = width;
    options.embeddings = &embeddings;
    return open_vision_manifest(cpu(), folder, read_json(folder / "model.json")["vision"], options);
  }

  static std::unique_ptr<GgufEmbeddings> embeddings_;
  static std::unique_ptr<VisionPart> part_;
};
std::unique_ptr<GgufEmbeddings> DefaultModel::embeddings_;
std::unique_ptr<VisionPart> DefaultModel::part_;

TEST_F(DefaultModel, RowsAndObjectsOfEveryGolden) {
  std::ifstream lines(fixtures() / "default/golden.jsonl");
  std::map<std::string, PictureRows> done;
  int compared = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const auto golden = take(io::parse_json(line, "golden.jsonl"));
    const std::string name = golden["picture"];
    SCOPED_TRACE(name);
    if (!done.contains(name)) done[name] = encode(*part_, take(media::read_picture(fixtures() / "default" / name)));
    const PictureRows& rows = done[name];
    ASSERT_EQ(rows.info.size(), golden["visual_rows"].get<size_t>());
    ASSERT_EQ(rows.objects.size(), golden["objects"].size());
    for (size_t k = 0; k < rows.objects.size(); ++k) {
      const auto& wanted = golden["objects"][k];
      const float box[4] = {rows.objects[k].box.x1, rows.objects[k].box.y1, rows.objects[k].box.x2, rows.objects[k].box.y2};
      for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(box[i], wanted["box"][i].get<float>(), 1e-4);
      EXPECT_NEAR(rows.objects[k].score, wanted["score"].get<float>(), 1e-4);
    }
    ASSERT_EQ(golden["visual_row_means"].size(), rows.info.size());
    for (size_t r = 0; r < rows.info.size(); ++r) {
      double mean = 0;
      for (int i = 0; i < rows.width; ++i) mean += rows.rows[r * static_cast<size_t>(rows.width) + static_cast<size_t>(i)];
      EXPECT_NEAR(mean / rows.width, golden["visual_row_means"][r].get<double>(), 1e-4);
    }
    ++compared;
  }
  EXPECT_EQ(compared, 24);
}

TEST_F(DefaultModel, RowsSayWhatTheyAre) {
  const PictureRows rows = encode(*part_, take(media::read_picture(fixtures() / "default/coffee.png")));
  ASSERT_FALSE(rows.objects.empty());
  ASSERT_EQ(rows.info.size(), ObjectWords::picture_rows + ObjectWords::rows_per_object * rows.objects.size());
  for (size_t r = 0; r < rows.info.size(); ++r) EXPECT_EQ(rows.info[r].kind, r < 2 ? RowKind::image : RowKind::object) << r;
  EXPECT_FALSE(rows.objects[0].label.empty());
  const auto [views, plan] = take(part_->plan({640, 480}, 1));
  EXPECT_FALSE(plan.exact);
  EXPECT_EQ(plan.rows, ObjectWords::picture_rows + ObjectWords::rows_per_object * 10);
  EXPECT_EQ(views.size(), 1u);
}

// A wide picture is the same as the square that it is padded to.
TEST_F(DefaultModel, PadsWithGrey) {
  const auto coffee = take(media::read_picture(fixtures() / "default/coffee.png"));
  const auto wide = media::crop(coffee, {0, 60, 300, 180});
  const PictureRows a = encode(*part_, wide), b = encode(*part_, media::pad_to_square(wide, {128, 128, 128}));
  EXPECT_EQ(a.objects.size(), b.objects.size());
  EXPECT_EQ(difference(a, b), 0);
  EXPECT_NE(difference(a, encode(*part_, coffee)), 0);
}

TEST_F(DefaultModel, CanBePointedAt) {
  const auto coffee = take(media::read_picture(fixtures() / "default/coffee.png"));
  const PictureRows plain = encode(*part_, coffee);
  Workspace space(take(part_->arena_bytes()));
  lava::Run run = space.run();
  const PictureRows pointed = take(part_->encode(run, coffee, 1, {"content", {{0.1f, 0.2f, 0.6f, 0.7f}}}));
  ASSERT_EQ(pointed.objects.size(), plain.objects.size() + 1);
  EXPECT_TRUE(pointed.objects.back().pointed);
  ASSERT_EQ(pointed.info.size(), plain.info.size() + ObjectWords::rows_per_object);
  EXPECT_EQ(pointed.info.back().kind, RowKind::region);
}

TEST_F(DefaultModel, RefusesAnotherLanguageModel) {
  class Narrow final : public TextEmbeddings {
   public:
    int width() const override { return 64; }
    Result<std::vector<float>> mean_embedding(std::string_view) const override { return std::vector<float>(64); }
  };
  const auto part = open(Narrow(), 64);
  ASSERT_FALSE(part);
  EXPECT_NE(part.error().message().find("576"), std::string::npos) << part.error().message();
  EXPECT_NE(part.error().message().find("64"), std::string::npos);
}

}  // namespace
}  // namespace lava::testing
