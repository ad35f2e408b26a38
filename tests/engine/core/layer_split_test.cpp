// A decoder whose last layers are on a device with memory of its own and whose first ones are on the processor, for every number of them:
// the bits are those of one device, whatever happens to the conversation.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/adapters/lora.h"
#include "engine/core/split_decoder.h"
#include "engine/core/text_reader.h"
#include "engine/core/text_runner.h"
#include "kernels/decorator.h"
#include "tests/kernels/allocation_counter.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/sealed_device.h"
#include "tests/support/engine/tiny_text.h"

namespace lava::test {
namespace {

constexpr int threads = 2;

// Counts ops, and raises a flag at one of them.
class Counting final : public DeviceDecorator {
 public:
  Counting(Device& inner, int64_t& ops, int64_t& cancel_at, std::atomic<bool>& cancel) : DeviceDecorator(inner), ops_(ops), cancel_at_(cancel_at), cancel_(cancel) {}
  void execute(const OpCall& call) override {
    if (ops_++ == cancel_at_) cancel_ = true;
    inner_.execute(call);
  }

 private:
  int64_t &ops_, &cancel_at_;
  std::atomic<bool>& cancel_;
};

struct Split {
  std::unique_ptr<Device> cpu;
  std::unique_ptr<SealedDevice> card;
  std::atomic<bool> cancel{false};
  int64_t ops = 0, cancel_at = -1;
  std::unique_ptr<Counting> counted_cpu, counted_card;
  TextFile file;
  SplitDecoder text;

  int layers() const { return file.config.layers; }
  std::unique_ptr<TextRunner> runner(const RunnerOptions& options, Adapters all = {}) {
    auto made = TextRunner::create(text.parts(), all, options);
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }
};

std::filesystem::path model_path(const std::string& model) { return fixture(model + (model.starts_with("text_models") ? "/model.gguf" : "")); }

std::unique_ptr<Split> load(const std::string& model, int on_card, const SealedOptions& sealed = {}, int context = 256) {
  auto split = std::make_unique<Split>();
  auto cpu = make_cpu_device({.threads = threads, .pin = false});
  auto card = SealedDevice::create(sealed);
  auto file = open_text(model_path(model));
  EXPECT_TRUE(cpu && card && file);
  split->cpu = std::move(*cpu), split->card = std::move(*card), split->file = std::move(*file);
  split->counted_cpu = std::make_unique<Counting>(*split->cpu, split->ops, split->cancel_at, split->cancel);
  split->counted_card = std::make_unique<Counting>(*split->card, split->ops, split->cancel_at, split->cancel);
  auto text = load_split({*split->counted_card, *split->counted_cpu}, *split->file.source, split->file.config, {.context = context, .on_main = on_card});
  EXPECT_TRUE(text) << text.error().message();
  split->text = std::move(*text);
  return split;
}

std::vector<float> copy_of(std::span<const float> values) { return {values.begin(), values.end()}; }

std::vector<int32_t> beginning(const std::vector<int32_t>& ids, size_t count) { return {ids.begin(), ids.begin() + static_cast<ptrdiff_t>(count)}; }

class EverySplit : public ::testing::TestWithParam<std::string> {};

TEST_P(EverySplit, HasTheBitsOfOneDevice) {
  const auto whole = load(GetParam(), 0);
  std::vector<Golden> goldens = read_goldens(GetParam());
  std::erase_if(goldens, [](const Golden& golden) { return golden.name.starts_with("adapted"); });
  ASSERT_FALSE(goldens.empty());
  for (const DType kv : {DType::f32, DType::q8_0}) {
    if (kv == DType::q8_0 && whole->file.config.head_dim % 32 != 0) continue;
    const auto reference = whole->runner({.chunk = 16, .kv = kv});
    for (int on_card = 0; on_card <= whole->layers(); ++on_card) {
      const auto split = load(GetParam(), on_card);
      EXPECT_EQ(split->text.main_layers(), on_card);
      EXPECT_EQ(split->text.parts().size(), on_card == 0 || on_card == split->layers() ? 1u : 2u);
      const auto runner = split->runner({.chunk = 16, .kv = kv});
      for (const Golden& golden : goldens) {
        SCOPED_TRACE(golden.name + ", layers on the card: " + std::to_string(on_card));
        reference->forget();
        ASSERT_TRUE(reference->prefill(prompt_of(golden.prompt_ids), {}) && runner->prefill(prompt_of(golden.prompt_ids), {}));
        EXPECT_EQ(copy_of(runner->logits()), copy_of(reference->logits()));
        const std::vector<int32_t> tokens = greedy_steps(*runner, 32);
        if (kv == DType::f32) {
          EXPECT_EQ(tokens, golden.greedy);
        }
        EXPECT_EQ(tokens, greedy_steps(*reference, 32));
        EXPECT_EQ(copy_of(runner->logits()), copy_of(reference->logits()));
      }
      EXPECT_EQ(split->card->own_bytes() > 0, on_card > 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, EverySplit,
                         ::testing::Values("transformers/text_llama_gqa", "transformers/text_mistral", "transformers/text_qwen2", "transformers/text_llama3_rope",
                                           "text_models/llama_formats", "text_models/qwen2_tied", "text_models/llama_k", "text_models/llama3_rope"),
                         [](const auto& info) { return info.param.substr(0, info.param.find('/')) + "_" + info.param.substr(info.param.find('/') + 1); });

class LayerSplit : public ::testing::Test {
 protected:
  void SetUp() override {
    goldens_ = read_goldens("transformers/text_mistral");
    layers_ = load("transformers/text_mistral", 0)->layers();
    ASSERT_EQ(layers_, 4);
  }
  const std::vector<int32_t>& ids(size_t golden) const { return goldens_[golden].prompt_ids; }

  std::vector<Golden> goldens_;
  int layers_ = 0;
};

// What a runner did with a conversation: rows reused, logits after each call.
struct Record {
  std::vector<int> reused;
  std::vector<std::vector<float>> logits;
};

Record talk(TextRunner& runner, const std::vector<int32_t>& one, const std::vector<int32_t>& two) {
  Record record;
  const auto read = [&](const std::vector<int32_t>& ids) {
    const auto reused = runner.prefill(prompt_of(ids), {});
    EXPECT_TRUE(reused) << reused.error().message();
    record.reused.push_back(reused.value_or(-1));
    record.logits.push_back(copy_of(runner.logits()));
  };
  const auto step = [&](int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(runner.step(best_id(runner.logits())));
    record.logits.push_back(copy_of(runner.logits()));
  };
  read(beginning(one, 20)), step(3);
  read(beginning(one, 32)), step(2);          // goes on behind what is there
  std::vector<int32_t> other = beginning(one, 10);
  other.insert(other.end(), two.begin(), two.begin() + 20);
  read(other), step(3);                       // takes a copy of the common beginning into the other slot
  read(beginning(one, 33)), step(2);          // the first conversation is still there
  read(other), step(1);
  read(other);                                // the same again: from kept logits
  runner.forget();
  read(beginning(two, 12)), step(2);
  return record;
}

TEST_F(LayerSplit, ConversationsAreReusedCopiedAndForgottenAlike) {
  const Record wanted = talk(*load("transformers/text_mistral", 0)->runner({.chunk = 8, .kv = DType::f32}), ids(0), ids(1));
  EXPECT_EQ(wanted.reused[0], 0);
  EXPECT_EQ(wanted.reused[2], 10);
  EXPECT_EQ(wanted.reused.back(), 0);
  for (int on_card = 1; on_card <= layers_; ++on_card) {
    const auto split = load("transformers/text_mistral", on_card);
    const Record got = talk(*split->runner({.chunk = 8, .kv = DType::f32}), ids(0), ids(1));
    EXPECT_EQ(got.reused, wanted.reused) << on_card;
    EXPECT_EQ(got.logits, wanted.logits) << on_card;
  }
}

TEST_F(LayerSplit, CancellingAtAnyOpKeepsWholeChunks) {
  const auto whole = load("transformers/text_mistral", 0);
  const auto reference = whole->runner({.chunk = 8, .kv = DType::f32});
  ASSERT_TRUE(reference->prefill(prompt_of(beginning(ids(0), 24)), {}));
  const auto split = load("transformers/text_mistral", 2);
  const auto runner = split->runner({.chunk = 8, .kv = DType::f32});
  split->ops = 0;
  std::vector<int64_t> starts;  // ops before each chunk
  ASSERT_TRUE(runner->prefill(prompt_of(beginning(ids(0), 24)), {}, nullptr, [&](int, int) { starts.push_back(split->ops); }));
  ASSERT_EQ(starts.size(), 4u);
  const int64_t all = starts.back();
  int cancelled = 0, kept_some = 0;
  for (int64_t at = 0; at < all; at += 3) {
    runner->forget();
    split->ops = 0, split->cancel_at = at, split->cancel = false;
    const auto first = runner->prefill(prompt_of(beginning(ids(0), 24)), {}, &split->cancel);
    if (!first) {
      EXPECT_EQ(first.error().kind, Error::Kind::cancelled);
    }
    cancelled += !first;
    const auto again = runner->prefill(prompt_of(beginning(ids(0), 24)), {});
    ASSERT_TRUE(again);
    // The chunk of this op is lost, unless the op was behind its last look at the flag.
    const int chunk = static_cast<int>(std::upper_bound(starts.begin(), starts.end(), at) - starts.begin()) - 1;
    if (!first) {
      EXPECT_TRUE(*again == 8 * chunk || *again == 8 * (chunk + 1)) << at << ", " << *again;
    }
    kept_some += *again > 0;
    ASSERT_EQ(copy_of(runner->logits()), copy_of(reference->logits())) << at;
  }
  EXPECT_GT(cancelled, all / 6);
  EXPECT_GT(kept_some, all / 9);
}

TEST_F(LayerSplit, RecordingsOfOneDeviceAreSizedAndThoseOfTheOtherAreNot) {
  std::vector<int32_t> prompt;
  for (size_t i = 0; i < 250; ++i) prompt.push_back(ids(0)[i % ids(0).size()]);
  const auto tokens = [&](int on_card, bool sized, int64_t recordings) {
    const auto split = load("transformers/text_mistral", on_card, {.sized_recordings = sized}, 600);
    const auto runner = split->runner({.kv = DType::f32});
    EXPECT_TRUE(runner->prefill(prompt_of(prompt), {}));
    std::vector<int32_t> got = greedy_steps(*runner, 300);
    EXPECT_EQ(split->card->recordings(), recordings);
    return got;
  };
  const std::vector<int32_t> wanted = tokens(0, true, 0);
  EXPECT_EQ(tokens(2, true, 3), wanted);  // 256, 512, 600
  EXPECT_EQ(tokens(2, false, 1), wanted);
}

TEST_F(LayerSplit, StepsAllocateNothing) {
  const auto split = load("transformers/text_mistral", 0);
  auto second = make_cpu_device({.threads = threads, .pin = false});
  ASSERT_TRUE(second);
  auto text = load_split({**second, *split->cpu}, *split->file.source, split->file.config, {.context = 256, .on_main = 2});
  ASSERT_TRUE(text && text->upper);
  auto runner = TextRunner::create(text->parts(), {}, {.kv = DType::f32});
  ASSERT_TRUE(runner && (*runner)->prefill(prompt_of(beginning(ids(0), 20)), {}));
  (*runner)->prepare_steps();
  const int64_t before = allocation_count();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE((*runner)->step(best_id((*runner)->logits())));
  EXPECT_EQ(allocation_count(), before);
}

TEST_F(LayerSplit, BetweenTwoDevicesWithMemoryOfTheirOwn) {
  const auto split = load("transformers/text_mistral", 0);
  auto second = SealedDevice::create({.sized_recordings = false});
  ASSERT_TRUE(second);
  auto text = load_split({*split->card, **second}, *split->file.source, split->file.config, {.context = 256, .on_main = 2});
  ASSERT_TRUE(text) << text.error().message();
  auto runner = TextRunner::create(text->parts(), {}, {.kv = DType::f32});
  ASSERT_TRUE(runner && (*runner)->prefill(prompt_of(ids(0)), {}));
  EXPECT_EQ(greedy_steps(**runner, 32), goldens_[0].greedy);
}

TEST_F(LayerSplit, EveryPositionIsReadAlike) {
  const auto read = [&](int on_card, int chunk) {
    const auto split = load("transformers/text_mistral", on_card);
    auto reader = TextReader::create(split->text.parts(), {.window = 30, .chunk = chunk, .kv = DType::f32});
    EXPECT_TRUE(reader);
    std::vector<float> all;
    for (int begin = 0; begin < 30; begin += chunk) {
      const int count = std::min(chunk, 30 - begin);
      EXPECT_TRUE((*reader)->advance(std::span(ids(0)).subspan(static_cast<size_t>(begin), static_cast<size_t>(count))));
      const auto logits = (*reader)->logits(0, count);
      EXPECT_TRUE(logits);
      all.insert(all.end(), logits->f32(), logits->f32() + logits->elements());
    }
    return all;
  };
  for (const int chunk : {1, 7, 30}) {
    const std::vector<float> wanted = read(0, chunk);
    for (int on_card = 1; on_card <= layers_; ++on_card) EXPECT_EQ(read(on_card, chunk), wanted) << on_card << ' ' << chunk;
  }
}

TEST_F(LayerSplit, ALostDeviceIsToldAtEveryAction) {
  const auto run = [&](Split& split) -> Result<void> {
    const auto runner = split.runner({.chunk = 8, .kv = DType::f32});
    LAVA_CHECK_OK(runner->prefill(prompt_of(beginning(ids(0), 20)), {}));
    for (int i = 0; i < 3; ++i) LAVA_CHECK_OK(runner->step(best_id(runner->logits())));
    return {};
  };
  int64_t loading = 0, all = 0;
  {
    const auto split = load("transformers/text_mistral", 2);
    ASSERT_TRUE(split->card->finish());
    loading = split->card->actions();
    ASSERT_TRUE(run(*split));
    all = split->card->actions();
  }
  ASSERT_GT(all, loading + 20);
  for (int64_t at = loading; at < all; ++at) {
    const auto done = run(*load("transformers/text_mistral", 2, {.lose_at = at}));
    ASSERT_FALSE(done) << at;
    EXPECT_EQ(done.error().kind, Error::Kind::device_lost) << at;
  }
}

TEST(SplitLora, ChangesLayersOnBothSides) {
  const std::vector<Golden> goldens = read_goldens("text_models/llama_formats");
  for (const int on_card : {1, 2}) {
    const auto split = load("text_models/llama_formats", on_card);
    auto adapter = load_peft_folder(fixture("text_models/llama_formats/adapter"), split->file.config, split->text.layer_weights());
    ASSERT_TRUE(adapter) << adapter.error().message();
    EXPECT_TRUE((*adapter)->covers(0, LinearRole::q) && (*adapter)->covers(1, LinearRole::down));
    const Adapter* all[] = {adapter->get()};
    const auto runner = split->runner({.kv = DType::f32}, all);
    for (int round = 0; round < 2; ++round) {
      for (const Golden& golden : goldens) {
        ASSERT_TRUE(runner->prefill(prompt_of(golden.prompt_ids), golden.name.starts_with("adapted") ? Adapters(all) : Adapters()));
        expect_logits(golden, runner->logits(), 2e-4);
        EXPECT_EQ(greedy_steps(*runner, 32), golden.greedy) << golden.name << ' ' << on_card;
      }
    }
  }
}

}  // namespace
}  // namespace lava::test
