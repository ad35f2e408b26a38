// Chunks, slots, recorded steps and cancelling of the text runner.
#include <gtest/gtest.h>

#include <cstring>

#include "engine/core/sampler.h"
#include "kernels/decorator.h"
#include "tests/kernels/allocation_counter.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/tiny_text.h"

namespace lava::test {
namespace {

class Runner : public ::testing::Test {
 protected:
  void SetUp() override {
    auto tiny = load_tiny_text(fixture("transformers/text_llama_gqa"));
    ASSERT_TRUE(tiny) << tiny.error().message();
    tiny_ = std::move(*tiny);
    goldens_ = read_goldens("transformers/text_llama_gqa");
  }
  std::unique_ptr<TextRunner> runner(int chunk, int slots = 2, DType kv = DType::f32) {
    auto made = TextRunner::create(*tiny_.device, *tiny_.decoder, {}, {.chunk = chunk, .slots = slots, .kv = kv});
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }
  Prompt prompt(size_t golden, size_t ids) const {
    return prompt_of({goldens_[golden].prompt_ids.begin(), goldens_[golden].prompt_ids.begin() + static_cast<ptrdiff_t>(ids)});
  }

  TinyText tiny_;
  std::vector<Golden> goldens_;
};

void expect_near(std::span<const float> a, std::span<const float> b, float tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
}

TEST_F(Runner, ChunkedPrefillIsOneShotPrefill) {
  const auto whole = runner(256);
  for (const int chunk : {1, 7, 32}) {
    const auto parts = runner(chunk);
    for (const Golden& golden : goldens_) {
      ASSERT_TRUE(whole->prefill(prompt_of(golden.prompt_ids), {}) && parts->prefill(prompt_of(golden.prompt_ids), {}));
      expect_near(whole->logits(), parts->logits(), 2e-5f);
      EXPECT_EQ(greedy_steps(*parts, 32), golden.greedy) << chunk;
    }
  }
}

TEST_F(Runner, HalfPrecisionCacheStaysClose) {
  const auto single = runner(256), half = runner(256, 2, DType::f16);
  ASSERT_TRUE(single->prefill(prompt(0, 60), {}) && half->prefill(prompt(0, 60), {}));
  expect_near(single->logits(), half->logits(), 0.02f);
}

TEST_F(Runner, RowsAreReusedAndTheAnswerIsTheSame) {
  const auto reusing = runner(256);
  const auto fresh = runner(256, 1);
  EXPECT_EQ(*reusing->prefill(prompt(0, 40), {}), 0);
  EXPECT_EQ(*reusing->prefill(prompt(0, 70), {}), 40);
  fresh->forget();
  ASSERT_TRUE(fresh->prefill(prompt(0, 70), {}));
  expect_near(reusing->logits(), fresh->logits(), 2e-5f);
  EXPECT_EQ(greedy_steps(*reusing, 24), greedy_steps(*fresh, 24));
  EXPECT_EQ(*reusing->prefill(prompt(0, 69), {}), 68);  // the last row is computed again: its logits are wanted
}

std::vector<float> copy_of(std::span<const float> values) { return {values.begin(), values.end()}; }

TEST_F(Runner, TheSameQuestionAgainIsFreeAndTheSameToTheBit) {
  const auto runner = this->runner(256);
  ASSERT_TRUE(runner->prefill(prompt(0, 40), {}));
  const std::vector<float> logits = copy_of(runner->logits());
  const std::vector<int32_t> answer = greedy_steps(*runner, 24);
  const std::vector<float> end = copy_of(runner->logits());
  for (const int steps : {24, 60, 3}) {  // after the long one the prompt goes to the other slot
    EXPECT_EQ(*runner->prefill(prompt(0, 40), {}), 40);
    EXPECT_EQ(copy_of(runner->logits()), logits);
    const std::vector<int32_t> again = greedy_steps(*runner, steps);
    EXPECT_TRUE(std::equal(again.begin(), again.begin() + std::min(steps, 24), answer.begin()));
    if (steps == 24) { EXPECT_EQ(copy_of(runner->logits()), end); }
  }
  runner->forget();
  EXPECT_EQ(*runner->prefill(prompt(0, 40), {}), 0);
}

TEST_F(Runner, LogitsOfAnotherEndAreNotTaken) {
  const auto single = runner(256, 1), fresh = runner(256, 1);
  ASSERT_TRUE(single->prefill(prompt(0, 40), {}));
  EXPECT_EQ(*single->prefill(prompt(0, 30), {}), 29);
  ASSERT_TRUE(fresh->prefill(prompt(0, 30), {}));
  expect_near(single->logits(), fresh->logits(), 2e-5f);
  EXPECT_EQ(*single->prefill(prompt(0, 40), {}), 30);
  EXPECT_EQ(*single->prefill(prompt(0, 40), {}), 40);
}

TEST_F(Runner, TwoConversationsAreKept) {
  const auto two = runner(256);
  ASSERT_TRUE(two->prefill(prompt(0, 60), {}) && two->prefill(prompt(1, 60), {}));
  EXPECT_EQ(*two->prefill(prompt(0, 62), {}), 60);
  EXPECT_EQ(*two->prefill(prompt(1, 62), {}), 60);
}

TEST_F(Runner, ASharedBeginningIsCopiedWhenMostOfTheOtherWouldBeLost) {
  const auto two = runner(256), fresh = runner(256, 1);
  ASSERT_TRUE(two->prefill(prompt(0, 70), {}));
  std::vector<int32_t> other(goldens_[0].prompt_ids.begin(), goldens_[0].prompt_ids.begin() + 20);
  other.insert(other.end(), goldens_[1].prompt_ids.begin() + 20, goldens_[1].prompt_ids.begin() + 50);
  EXPECT_EQ(*two->prefill(prompt_of(other), {}), 20);
  ASSERT_TRUE(fresh->prefill(prompt_of(other), {}));
  expect_near(two->logits(), fresh->logits(), 2e-5f);
  EXPECT_EQ(*two->prefill(prompt(0, 72), {}), 70);  // the first conversation is still whole
}

TEST_F(Runner, GivenRowsAreTakenForTokens) {
  const auto plain = runner(16), given = runner(16);
  Prompt prompt = this->prompt(0, 50);
  const int width = tiny_.decoder->config().width;
  const io::TensorEntry* table = tiny_.source->find("model.embed_tokens.weight");
  ASSERT_TRUE(table && table->dtype == DType::f32);
  std::vector<std::vector<float>> rows;
  for (const int at : {3, 4, 5, 20, 49}) {
    rows.emplace_back(static_cast<size_t>(width));
    std::memcpy(rows.back().data(), table->bytes.data() + sizeof(float) * static_cast<size_t>(prompt.info[at].token * width),
                sizeof(float) * static_cast<size_t>(width));
    prompt.embeddings[at] = rows.back().data();
    prompt.info[at].token = -1;
    prompt.keys[at] = {9, at};
  }
  ASSERT_TRUE(plain->prefill(this->prompt(0, 50), {}) && given->prefill(prompt, {}));
  EXPECT_TRUE(std::equal(plain->logits().begin(), plain->logits().end(), given->logits().begin()));
  prompt.keys[4].picture = 10;  // another picture: reuse ends before it
  EXPECT_EQ(*given->prefill(prompt, {}), 4);
}

TEST_F(Runner, ARecordedStepIsAPrefilledRow) {
  const auto stepping = runner(256), eager = runner(1);
  std::vector<int32_t> ids = goldens_[0].prompt_ids;
  ASSERT_TRUE(stepping->prefill(prompt_of(ids), {}) && eager->prefill(prompt_of(ids), {}));
  for (int i = 0; i < 20; ++i) {
    const int32_t token = best_id(stepping->logits());
    ids.push_back(token);
    stepping->step(token);
    EXPECT_EQ(*eager->prefill(prompt_of(ids), {}), static_cast<int>(ids.size()) - 1);
    expect_near(stepping->logits(), eager->logits(), 2e-5f);
  }
}

TEST_F(Runner, StepsAllocateNothing) {
  const auto runner = this->runner(256);
  ASSERT_TRUE(runner->prefill(prompt(0, 40), {}));
  runner->prepare_steps();
  Sampler sampler({.temperature = 0.7f, .top_k = 20, .top_p = 0.9f, .min_p = 0.01f, .repetition_penalty = 1.1f, .seed = 3},
                  tiny_.decoder->config().vocabulary);
  const int64_t before = allocation_count();
  for (int i = 0; i < 50; ++i) {
    const auto token = sampler.pick(runner->logits());
    ASSERT_TRUE(token);
    sampler.saw(*token);
    runner->step(*token);
  }
  EXPECT_EQ(allocation_count(), before);
}

TEST_F(Runner, CancellingKeepsWholeChunksAndReturnsAtOnce) {
  const auto runner = this->runner(16);
  std::atomic<bool> cancel{false};
  const auto stop_at_32 = [&](int done, int) { cancel = done >= 32; };
  const auto cancelled = runner->prefill(prompt(0, 70), {}, &cancel, stop_at_32);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().kind, Error::Kind::cancelled);
  EXPECT_EQ(*runner->prefill(prompt(0, 70), {}), 32);
  EXPECT_EQ(greedy_steps(*runner, 4).size(), 4u);
}

TEST_F(Runner, ProgressCountsRows) {
  const auto runner = this->runner(16);
  std::vector<int> done;
  ASSERT_TRUE(runner->prefill(prompt(0, 40), {}, nullptr, [&](int at, int) { done.push_back(at); }));
  EXPECT_EQ(done, (std::vector<int>{0, 16, 32, 40}));
}

// Has the backend's name, and computes as what stands behind it.
class Named : public DeviceDecorator {
 public:
  Named(Device& inner, const char* backend) : DeviceDecorator(inner), info_(inner.info()) { info_.backend = backend; }
  const DeviceInfo& info() const override { return info_; }

 private:
  DeviceInfo info_;
};

TEST_F(Runner, ChunksSuitTheirDevices) {
  Named card(*tiny_.device, "cuda"), other(*tiny_.device, "vulkan");
  const DecoderPart here{tiny_.device.get(), tiny_.decoder.get()}, on_card{&card, tiny_.decoder.get()}, elsewhere{&other, tiny_.decoder.get()};
  const DecoderPart split[] = {here, on_card};
  EXPECT_EQ(TextRunner::best_chunk({&here, 1}), 256);
  EXPECT_EQ(TextRunner::best_chunk({&on_card, 1}), 1024);
  EXPECT_EQ(TextRunner::best_chunk({&elsewhere, 1}), 256);
  EXPECT_EQ(TextRunner::best_chunk(split), 256);
}

}  // namespace
}  // namespace lava::test
