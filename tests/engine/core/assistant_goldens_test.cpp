// Whole models against the answers of transformers, from text and picture files on.
#include <gtest/gtest.h>

#include "engine/core/assistant.h"
#include "tests/support/engine/files.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/requests.h"

namespace lava::test {
namespace {

class AssistantGoldens : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    loaded_ = load_assistant({.model = fixture("transformers/" + GetParam()).string(), .context = 512, .exact = true});
    ASSERT_TRUE(loaded_.assistant);
  }

  Request request_of(const Golden& golden) const {
    Request request;
    request.raw_prompt = golden.prompt;
    for (const std::string& picture : golden.pictures)
      request.raw_pictures.push_back(picture_file("transformers/" + GetParam() + "/" + picture));
    return request;
  }

  Loaded loaded_;
};

void expect_pictures(const Golden& golden, const Probe& probe) {
  int tokens = 0;
  for (const int count : golden.all.value("n_image_tokens", std::vector<int>())) tokens += count;
  EXPECT_EQ(probe.image_tokens, tokens) << golden.name;
  nlohmann::json views = nlohmann::json::array();
  for (const nlohmann::json& view : golden.all.value("views", nlohmann::json::array()))
    if (view.at("mean_abs") != 0) views.push_back(view);  // black views fill up the batch of a picture with fewer tiles
  ASSERT_EQ(probe.views.size(), views.size()) << golden.name;
  for (size_t i = 0; i < views.size(); ++i)
    EXPECT_NEAR(probe.views[i].mean, views[i].at("mean").get<double>(), 2e-6) << golden.name << " view " << i;
}

TEST_P(AssistantGoldens, IdsViewsLogitsAndGreedyTokens) {
  for (const Golden& golden : read_goldens("transformers/" + GetParam())) {
    if (golden.prompt.find("<video>") != std::string::npos) continue;  // clips are not read yet
    const auto probe = loaded_->probe(request_of(golden), 32);
    ASSERT_TRUE(probe) << golden.name << ": " << probe.error().message();
    EXPECT_EQ(probe->prompt_ids, golden.prompt_ids) << golden.name;
    expect_pictures(golden, *probe);
    expect_logits(golden, probe->logits, 2e-4);
    EXPECT_EQ(probe->greedy, golden.greedy) << golden.name;
  }
}

// The same model as two GGUF files; the projector is found beside the language model.
TEST(PairOfFiles, IdsViewLogitsAndGreedyTokens) {
  TemporaryFolder folder;
  const std::string pair = "text_models/llava15_pair/";
  std::filesystem::copy_file(fixture(pair + "llava15-F16.gguf"), folder / "llava15-F16.gguf");
  std::filesystem::copy_file(fixture("mmproj/llava15-legacy.gguf"), folder / "mmproj-llava15.gguf");
  for (const std::string& mmproj : {std::string(), fixture("mmproj/llava15-legacy.gguf").string()}) {
    const Loaded loaded =
        load_assistant({.model = (folder / "llava15-F16.gguf").string(), .mmproj = mmproj, .context = 512, .exact = true});
    ASSERT_TRUE(loaded.assistant);
    const Golden golden = read_goldens("text_models/llava15_pair").at(0);
    Request request;
    request.raw_prompt = golden.prompt;
    request.raw_pictures.push_back(picture_file(pair + "square.png"));
    const auto probe = loaded->probe(request, 32);
    ASSERT_TRUE(probe) << probe.error().message();
    EXPECT_EQ(probe->prompt_ids, golden.prompt_ids);
    expect_pictures(golden, *probe);
    expect_logits(golden, probe->logits, 2e-4);
    EXPECT_EQ(probe->greedy, golden.greedy);
  }
  auto device = make_cpu_device({.threads = 1, .pin = false});
  ASSERT_TRUE(device);
  const auto refused = Assistant::load(
      **device, {.model = (folder / "llava15-F16.gguf").string(), .mmproj = fixture("mmproj/llava_next-q8_0.gguf").string()});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("rows of 96 values, the language model reads 64"), std::string::npos)
      << refused.error().message();
}

INSTANTIATE_TEST_SUITE_P(Text, AssistantGoldens,
                         ::testing::Values("text_llama_gqa", "text_llama3_rope", "text_mistral", "text_qwen2", "text_qwen2_realtok"));
INSTANTIATE_TEST_SUITE_P(Pictures, AssistantGoldens,
                         ::testing::Values("llava15", "llava15__legacy", "llava_next", "llava_next__legacy", "llava_onevision",
                                           "llava_onevision__legacy"));

}  // namespace
}  // namespace lava::test
