// GGUF language models in every number format, with tied embeddings, stretched contexts and an adapter, against transformers and peft.
#include <gtest/gtest.h>

#include "engine/adapters/lora.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/tiny_text.h"

namespace lava::test {
namespace {

std::unique_ptr<TextRunner> runner_for(TinyText& tiny, Adapters adapters = {}) {
  auto runner = TextRunner::create(*tiny.device, *tiny.decoder, adapters, {.chunk = 256, .slots = 2, .kv = DType::f32});
  EXPECT_TRUE(runner) << runner.error().message();
  return std::move(*runner);
}

void expect_golden(TextRunner& runner, const Golden& golden, Adapters adapters) {
  const auto reused = runner.prefill(prompt_of(golden.prompt_ids), adapters);
  ASSERT_TRUE(reused) << reused.error().message();
  expect_logits(golden, runner.logits(), 2e-4);
  EXPECT_EQ(greedy_steps(runner, 32), golden.greedy) << golden.name;
}

class GgufGoldens : public ::testing::TestWithParam<std::string> {};

TEST_P(GgufGoldens, LogitsAndGreedyTokens) {
  auto tiny = load_tiny_text(fixture("text_models/" + GetParam() + "/model.gguf"));
  ASSERT_TRUE(tiny) << tiny.error().message();
  const auto runner = runner_for(*tiny);
  for (const Golden& golden : read_goldens("text_models/" + GetParam()))
    if (golden.name.starts_with("plain")) expect_golden(*runner, golden, {});
}

INSTANTIATE_TEST_SUITE_P(Models, GgufGoldens, ::testing::Values("llama_formats", "qwen2_tied", "llama_k", "llama3_rope", "linear_rope"));

// 8-bit activations stay close: the logits move by a few percent of their spread, not more.
TEST(GgufFast, StaysCloseToExact) {
  for (const char* name : {"llama_formats", "qwen2_tied", "llama_k"}) {
    auto exact = load_tiny_text(fixture(std::string("text_models/") + name + "/model.gguf"));
    auto fast = load_tiny_text(fixture(std::string("text_models/") + name + "/model.gguf"), {.precision = Precision::fast});
    ASSERT_TRUE(exact && fast);
    const auto exact_runner = runner_for(*exact), fast_runner = runner_for(*fast);
    const Prompt prompt = prompt_of(read_goldens(std::string("text_models/") + name)[0].prompt_ids);
    ASSERT_TRUE(exact_runner->prefill(prompt, {}) && fast_runner->prefill(prompt, {}));
    double error = 0, power = 0;
    for (size_t i = 0; i < exact_runner->logits().size(); ++i) {
      const double difference = exact_runner->logits()[i] - fast_runner->logits()[i];
      error += difference * difference, power += exact_runner->logits()[i] * exact_runner->logits()[i];
    }
    EXPECT_LT(error / power, 3e-3) << name;
  }
}

class Lora : public ::testing::Test {
 protected:
  void SetUp() override {
    auto tiny = load_tiny_text(fixture("text_models/llama_formats/model.gguf"));
    ASSERT_TRUE(tiny) << tiny.error().message();
    tiny_ = std::move(*tiny);
    auto adapter = load_peft_folder(fixture("text_models/llama_formats/adapter"), tiny_.decoder->config(), *tiny_.weights);
    ASSERT_TRUE(adapter) << adapter.error().message();
    adapter_ = std::move(*adapter);
    goldens_ = read_goldens("text_models/llama_formats");
  }

  TinyText tiny_;
  std::unique_ptr<Adapter> adapter_;
  std::vector<Golden> goldens_;
};

TEST_F(Lora, SwitchedPerRequestOnAGgufBase) {
  const Adapter* all[] = {adapter_.get()};
  const auto runner = runner_for(tiny_, all);
  for (int round = 0; round < 2; ++round)  // on, off, on, off: nothing of one state is left in the other
    for (auto golden = goldens_.rbegin(); golden != goldens_.rend(); ++golden)
      expect_golden(*runner, *golden, golden->name.starts_with("adapted") ? Adapters(all) : Adapters());
}

TEST_F(Lora, SwitchedOffTheBitsAreThePlainModels) {
  const Adapter* all[] = {adapter_.get()};
  const auto with = runner_for(tiny_, all), without = runner_for(tiny_);
  const Prompt prompt = prompt_of(goldens_[0].prompt_ids);
  ASSERT_TRUE(with->prefill(prompt, all));
  ASSERT_TRUE(with->prefill(prompt, {}) && without->prefill(prompt, {}));
  for (int step = 0; step < 8; ++step) {
    ASSERT_TRUE(std::equal(with->logits().begin(), with->logits().end(), without->logits().begin())) << step;
    const int32_t token = best_id(with->logits());
    with->step(token), without->step(token);
  }
}

TEST_F(Lora, TwoAtOnceAddUp) {
  auto second = load_peft_folder(fixture("text_models/llama_formats/adapter"), tiny_.decoder->config(), *tiny_.weights);
  ASSERT_TRUE(second);
  const Adapter* both[] = {adapter_.get(), second->get()};
  const auto runner = runner_for(tiny_, both);
  ASSERT_TRUE(runner->prefill(prompt_of(goldens_[0].prompt_ids), both));
  const float twice = runner->logits()[0];
  ASSERT_TRUE(runner->prefill(prompt_of(goldens_[0].prompt_ids), Adapters(both, 1)));
  EXPECT_NE(twice, runner->logits()[0]);
}

}  // namespace
}  // namespace lava::test
