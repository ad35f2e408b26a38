// Language models against the answers of transformers, from token ids on.
#include <gtest/gtest.h>

#include "tests/support/engine/files.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/tiny_text.h"

namespace lava::test {
namespace {

class TextGoldens : public ::testing::TestWithParam<std::string> {};

TEST_P(TextGoldens, LogitsAndGreedyTokens) {
  auto tiny = load_tiny_text(fixture("transformers/" + GetParam()));
  ASSERT_TRUE(tiny) << tiny.error().message();
  auto runner = TextRunner::create(*tiny->device, *tiny->decoder, {}, {.chunk = 256, .slots = 1, .kv = DType::f32});
  ASSERT_TRUE(runner) << runner.error().message();
  for (const Golden& golden : read_goldens("transformers/" + GetParam())) {
    (*runner)->forget();
    const auto reused = (*runner)->prefill(prompt_of(golden.prompt_ids), {});
    ASSERT_TRUE(reused) << reused.error().message();
    expect_logits(golden, (*runner)->logits(), 2e-4);
    EXPECT_EQ(greedy_steps(**runner, 32), golden.greedy) << golden.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TextGoldens,
                         ::testing::Values("text_llama_gqa", "text_llama3_rope", "text_mistral", "text_qwen2", "text_qwen2_realtok"));

// The names that newer and original checkpoints use, for the same weights.
TEST(TextLayouts, OriginalAndNewestNames) {
  const auto strip = [](std::string name) { return name.starts_with("language_model.") ? name.substr(15) : "other." + name; };
  const auto newest = [&](const std::string& name) {
    const std::string bare = strip(name);
    return bare.starts_with("model.") ? "model.language_model." + bare.substr(6) : bare;
  };
  nlohmann::json original = read_fixture_json("transformers/llava15/config.json")["text_config"];
  original["model_type"] = "llava";
  original["architectures"] = {"LlavaLlamaForCausalLM"};
  const std::pair<std::function<std::string(const std::string&)>, nlohmann::json> layouts[] = {
      {strip, original}, {newest, read_fixture_json("transformers/llava15/config.json")}};
  const Golden golden = read_goldens("transformers/llava15").back();
  ASSERT_EQ(golden.name, "text_only");
  for (const auto& [rename, config] : layouts) {
    TemporaryFolder folder;
    rename_tensors(fixture("transformers/llava15/model.safetensors"), folder / "model.safetensors", rename);
    write_text(folder / "config.json", config.dump());
    auto tiny = load_tiny_text(folder.path());
    ASSERT_TRUE(tiny) << tiny.error().message();
    auto runner = TextRunner::create(*tiny->device, *tiny->decoder, {}, {.slots = 1, .kv = DType::f32});
    ASSERT_TRUE(runner && (*runner)->prefill(prompt_of(golden.prompt_ids), {}));
    expect_logits(golden, (*runner)->logits(), 2e-4);
  }
}

}  // namespace
}  // namespace lava::test
