// Language models against the answers of transformers, from token ids on.
#include <gtest/gtest.h>

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

INSTANTIATE_TEST_SUITE_P(Models, TextGoldens, ::testing::Values("text_llama_gqa", "text_llama3_rope", "text_mistral", "text_qwen2", "text_qwen2_realtok"));

}  // namespace
}  // namespace lava::test
