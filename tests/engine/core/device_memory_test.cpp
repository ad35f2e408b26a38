// Models on a device with memory of its own: recordings by length, short memory, a device that is lost. That nothing else touches its memory
// show the other suites, which run a second time on a sealed device (test_engine_core_sealed).
#include <gtest/gtest.h>

#include "tests/support/engine/goldens.h"
#include "tests/support/engine/requests.h"
#include "tests/support/engine/sealed_device.h"
#include "tests/support/engine/tiny_text.h"

namespace lava::test {
namespace {

std::unique_ptr<SealedDevice> sealed(const SealedOptions& options = {}) {
  auto device = SealedDevice::create(options);
  EXPECT_TRUE(device) << device.error().message();
  return std::move(*device);
}

std::unique_ptr<Device> cpu() {
  auto device = make_cpu_device({.threads = 2, .pin = false});
  EXPECT_TRUE(device) << device.error().message();
  return std::move(*device);
}

constexpr int long_context = 1200;

// Greedy tokens after a prompt of `ids`.
std::vector<int32_t> decode(std::unique_ptr<Device> device, const std::vector<int32_t>& ids, int count) {
  auto tiny = load_tiny_text(std::move(device), fixture("transformers/text_llama_gqa"), {.context = long_context});
  EXPECT_TRUE(tiny) << tiny.error().message();
  auto runner = TextRunner::create(*tiny->device, *tiny->decoder, {}, {.kv = DType::f32});
  EXPECT_TRUE(runner && (*runner)->prefill(prompt_of(ids), {}));
  return greedy_steps(**runner, count);
}

TEST(SizedRecordings, AreReplayedAcrossTheirEdges) {
  std::vector<int32_t> ids;
  const std::vector<int32_t> golden = read_goldens("transformers/text_llama_gqa")[0].prompt_ids;
  for (int i = 0; i < 250; ++i) ids.push_back(golden[static_cast<size_t>(i) % golden.size()]);
  auto device = sealed();
  auto tiny = load_tiny_text(std::move(device), fixture("transformers/text_llama_gqa"), {.context = long_context});
  ASSERT_TRUE(tiny) << tiny.error().message();
  const auto& counts = static_cast<const SealedDevice&>(*tiny->device);
  auto runner = TextRunner::create(*tiny->device, *tiny->decoder, {}, {.kv = DType::f32});
  ASSERT_TRUE(runner && (*runner)->prefill(prompt_of(ids), {}));
  const std::vector<int32_t> got = greedy_steps(**runner, 900);
  EXPECT_EQ(counts.recordings(), 4);  // 256, 512, 1024 and the whole context
  EXPECT_EQ(got, decode(cpu(), ids, 900));
  EXPECT_EQ(got, decode(sealed({.sized_recordings = false}), ids, 900));
  // A short conversation is short again.
  ASSERT_TRUE((*runner)->prefill(prompt_of({ids.begin(), ids.begin() + 40}), {}));
  (*runner)->prepare_steps();
  EXPECT_EQ(counts.recordings(), 5);  // of the other slot, which took a copy
}

Request question() {
  Request request;
  const Golden golden = read_goldens("transformers/llava15").at(0);
  request.raw_prompt = golden.prompt;
  for (const std::string& picture : golden.pictures) request.raw_pictures.push_back(picture_file("transformers/llava15/" + picture));
  return request;
}

AssistantOptions tiny_assistant() { return {.model = fixture("transformers/llava15").string(), .context = 512, .exact = true}; }

TEST(LostDevice, IsToldAndNothingCrashes) {
  const auto processor = cpu();
  int64_t actions = 0;
  {
    const auto device = sealed();
    const auto assistant = Assistant::load({*device, *processor}, tiny_assistant());
    ASSERT_TRUE(assistant && (*assistant)->probe(question(), 4));
    actions = device->actions();
  }
  int while_loading = 0, while_answering = 0;
  for (int64_t at = 0; at < actions; ++at) {
    const auto device = sealed({.lose_at = at});
    const auto assistant = Assistant::load({*device, *processor}, tiny_assistant());
    if (!assistant) {
      ++while_loading;
      EXPECT_EQ(assistant.error().kind, Error::Kind::device_lost) << at;
      continue;
    }
    const auto probe = (*assistant)->probe(question(), 4);
    ASSERT_FALSE(probe) << at;
    EXPECT_EQ(probe.error().kind, Error::Kind::device_lost) << at << ": " << probe.error().message();
    ++while_answering;
  }
  EXPECT_GT(while_loading, 20);
  EXPECT_GT(while_answering, 20);
}

TEST(ShortMemory, EveryAllocationMayFail) {
  const auto processor = cpu();
  int64_t allocations = 0;
  std::vector<int32_t> wanted;
  {
    const auto device = sealed();
    const auto assistant = Assistant::load({*device, *processor}, tiny_assistant());
    ASSERT_TRUE(assistant);
    EXPECT_EQ((*assistant)->notice(), "");
    allocations = device->allocations();
    wanted = (*assistant)->probe(question(), 8)->greedy;
  }
  ASSERT_EQ(wanted.size(), 8u);
  int smaller = 0, split = 0, elsewhere = 0, unnoticed = 0;  // unnoticed: free memory was measured, and taken in smaller pieces
  for (int64_t at = 0; at < allocations; ++at) {
    const auto device = sealed({.fail_allocation = at});
    std::string told;
    AssistantOptions options = tiny_assistant();
    options.on_notice = [&](const std::string& notice) { told = notice; };
    const auto assistant = Assistant::load({*device, *processor}, options);
    ASSERT_TRUE(assistant) << at << ": " << assistant.error().message();
    EXPECT_EQ(told, (*assistant)->notice());
    const bool on_processor = (*assistant)->device().backend == "cpu", all = (*assistant)->report().main_layers == (*assistant)->report().layers;
    ++(told.empty() ? unnoticed : on_processor ? elsewhere : all ? smaller : split);
    const bool pictures = (*assistant)->report().main_layers == 0 && device->own_bytes() > 0;
    if (told.empty()) EXPECT_TRUE(all && !on_processor);
    else EXPECT_NE(told.find(pictures ? "Pictures are encoded by Sealed memory" : on_processor ? "the processor computes instead" : all ? "prompts are read 64 tokens at a time" : "1 of 2 layers are computed by Sealed memory"), std::string::npos) << told;
    EXPECT_EQ((*assistant)->probe(question(), 8)->greedy, wanted) << at;
  }
  EXPECT_GT(smaller, 0);
  EXPECT_GT(split, 0);
  EXPECT_LE(unnoticed, 1);
  EXPECT_GT(elsewhere, 0);
}

TEST(ShortMemory, TheProcessorTakesOverWhenTheModelDoesNotFit) {
  const auto processor = cpu();
  const auto device = sealed({.own_limit = 100000});
  const auto assistant = Assistant::load({*device, *processor}, tiny_assistant());
  ASSERT_TRUE(assistant);
  EXPECT_EQ((*assistant)->device().backend, "cpu");
  EXPECT_EQ(device->own_bytes(), 0u);  // nothing of the attempt is left
  const auto alone = Assistant::load(*device, tiny_assistant());
  ASSERT_FALSE(alone);  // no processor beside it
  EXPECT_EQ(alone.error().kind, Error::Kind::out_of_memory);
}

}  // namespace
}  // namespace lava::test
