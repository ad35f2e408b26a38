// What is given up, step by step, where a device has less memory than a model wants, and that it is told.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/core/layer_fit.h"
#include "engine/synth/write.h"
#include "kernels/decorator.h"
#include "tests/support/engine/files.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/requests.h"
#include "tests/support/engine/sealed_device.h"

namespace lava::test {
namespace {

constexpr int layers = 6, long_context = 4096;

// Layers of about four megabytes: memory for weights is taken in pieces of two at least.
class LayerLadder : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    synth::TextShape shape;
    TextConfig& c = shape.config;
    c.family = "llama";
    c.width = 512, c.layers = layers, c.heads = 8, c.kv_heads = 4, c.head_dim = 64, c.feed_forward = 1536, c.vocabulary = 2000, c.context = long_context;
    const auto written = synth::write_model({shape, "Ladder", *synth::find_format("q8_0"), 1}, path());
    ASSERT_TRUE(written) << written.error().message();
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static std::filesystem::path path() { return *folder_ / "ladder.gguf"; }

  void SetUp() override {
    auto cpu = make_cpu_device({.threads = 2, .pin = false});
    ASSERT_TRUE(cpu);
    cpu_ = std::move(*cpu);
    wanted_ = answer(Devices(*cpu_), {}).tokens;
    ASSERT_EQ(wanted_.size(), 8u);
  }

  struct Outcome {
    std::vector<int32_t> tokens;
    std::string notice, backend;
    int on_card = 0;
    size_t own_bytes = 0;
  };
  static Outcome answer(Devices devices, AssistantOptions options, const SealedDevice* card = nullptr) {
    options.model = path().string(), options.exact = true;
    if (options.context == 0) options.context = 512;
    Outcome outcome;
    std::string told;
    options.on_notice = [&](const std::string& notice) { told = notice; };
    const auto assistant = Assistant::load(devices, options);
    EXPECT_TRUE(assistant) << assistant.error().message();
    if (!assistant) return outcome;
    Request request;
    request.raw_prompt = "<s> a b c";
    const auto probe = (*assistant)->probe(request, 8);
    EXPECT_TRUE(probe) << probe.error().message();
    if (probe) outcome.tokens = probe->greedy;
    outcome.notice = (*assistant)->notice(), outcome.backend = (*assistant)->device().backend;
    outcome.on_card = (*assistant)->report().main_layers;
    EXPECT_EQ((*assistant)->report().layers, layers);
    EXPECT_EQ(told, outcome.notice);
    if (card) outcome.own_bytes = card->own_bytes();
    return outcome;
  }
  Outcome answer(const SealedOptions& sealed, int gpu_layers = -1) {
    auto card = SealedDevice::create(sealed);
    EXPECT_TRUE(card);
    AssistantOptions options;
    options.gpu_layers = gpu_layers;
    Outcome outcome = answer({**card, *cpu_}, options, card->get());
    EXPECT_EQ((*card)->own_bytes(), 0u);  // nothing of any attempt is left
    EXPECT_EQ(outcome.tokens, wanted_);
    EXPECT_LE(outcome.own_bytes, sealed.own_limit);
    return outcome;
  }

  static std::unique_ptr<TemporaryFolder> folder_;
  std::unique_ptr<Device> cpu_;
  std::vector<int32_t> wanted_;
};
std::unique_ptr<TemporaryFolder> LayerLadder::folder_;

std::string split_notice(int on_card, const char* why) {
  return fmt::format("{} of {} layers are computed by Sealed memory, the others by the processor, {}.", on_card, layers, why);
}
constexpr const char* too_small = "because its memory is too small for all";
constexpr const char* nothing_fits = "The memory of Sealed memory is too small for this model: the processor computes instead.";

// Each opening gets a byte less than the one before took: so every rung is reached, down to the processor.
TEST_F(LayerLadder, EveryRungIsReachedAndTold) {
  Outcome outcome = answer(SealedOptions{});
  EXPECT_EQ(outcome.notice, "");
  EXPECT_EQ(outcome.on_card, layers);
  std::set<int> counts;
  bool pieces_of_64 = false, pieces_of_16 = false;
  for (int rung = 0; outcome.on_card > 0; ++rung) {
    ASSERT_LT(rung, 60);
    const Outcome before = outcome;
    outcome = answer(SealedOptions{.own_limit = before.own_bytes - 1});
    RecordProperty(fmt::format("rung_{}", rung), outcome.on_card);
    SCOPED_TRACE(fmt::format("{} bytes: {}", before.own_bytes - 1, outcome.notice));
    EXPECT_LE(outcome.on_card, before.on_card);
    counts.insert(outcome.on_card);
    if (outcome.on_card == layers) {
      pieces_of_64 |= outcome.notice == "The memory of Sealed memory is nearly full: prompts are read 64 tokens at a time.";
      pieces_of_16 |= outcome.notice == "The memory of Sealed memory is nearly full: prompts are read 16 tokens at a time.";
      EXPECT_EQ(outcome.backend, "sealed");
    } else if (outcome.on_card > 0) {
      EXPECT_TRUE(outcome.notice.ends_with(split_notice(outcome.on_card, too_small)));
      EXPECT_EQ(outcome.backend, "sealed");
    }
  }
  EXPECT_TRUE(pieces_of_64 && pieces_of_16);
  // Weights of a small model come in pieces as large as a layer: a count or two may not be the best of any size.
  EXPECT_TRUE(counts.contains(0) && counts.contains(layers)) << counts.size();
  EXPECT_GE(counts.size(), 5u);
  EXPECT_EQ(outcome.notice, nothing_fits);
  EXPECT_EQ(outcome.backend, "cpu");
}

TEST_F(LayerLadder, TheRoomIsUsed) {
  const size_t all = answer(SealedOptions{}).own_bytes;
  int before = layers;
  for (const size_t share : {90, 75, 60, 45, 30}) {
    const Outcome outcome = answer(SealedOptions{.own_limit = all * share / 100});
    EXPECT_LE(outcome.on_card, before) << share;
    EXPECT_GE(outcome.on_card, static_cast<int>(share) * layers / 100 - 2) << share;  // less what is always needed, and the gaps of a small model
    before = outcome.on_card;
  }
}

TEST_F(LayerLadder, ACountMayBeAskedFor) {
  for (int count = 1; count < layers; ++count) {
    const Outcome outcome = answer(SealedOptions{}, count);
    EXPECT_EQ(outcome.on_card, count);
    EXPECT_EQ(outcome.notice, split_notice(count, "as asked for"));
  }
  for (const int count : {layers, 99}) {
    const Outcome outcome = answer(SealedOptions{}, count);
    EXPECT_EQ(outcome.on_card, layers);
    EXPECT_EQ(outcome.notice, "");
  }
  const Outcome none = answer(SealedOptions{}, 0);
  EXPECT_EQ(none.backend, "cpu");
  EXPECT_EQ(none.own_bytes, 0u);
  EXPECT_EQ(none.notice, "All layers are computed by the processor, as asked for.");
}

TEST_F(LayerLadder, MoreThanFindRoomIsToldWhenAskedFor) {
  const size_t all = answer(SealedOptions{}).own_bytes;
  const Outcome outcome = answer(SealedOptions{.own_limit = all / 2}, 5);
  EXPECT_GE(outcome.on_card, 1);
  EXPECT_LT(outcome.on_card, 5);
  EXPECT_EQ(outcome.notice, split_notice(outcome.on_card, too_small));
}

// Some drivers give no more than so much at once: what found room in pieces does not as a whole.
class LimitedPieces final : public DeviceDecorator {
 public:
  LimitedPieces(Device& inner, size_t most) : DeviceDecorator(inner), most_(most) {}
  Result<std::unique_ptr<Buffer>> allocate(size_t bytes, BufferUse use) override {
    if (use != BufferUse::shared && bytes > most_) return fail(Error::Kind::out_of_memory, "The device gives no such piece");
    return DeviceDecorator::allocate(bytes, use);
  }

 private:
  size_t most_;
};

TEST_F(LayerLadder, HalvesWhatFailedAfterAll) {
  const KvShape cache{1, 4, long_context, 64, DType::f32};
  // The caches of so many layers, which are one buffer, are given, and none larger.
  const auto on_card = [&](int given) {
    auto card = SealedDevice::create({});
    EXPECT_TRUE(card);
    LimitedPieces limited(**card, cache.bytes() * static_cast<size_t>(given));
    const Outcome outcome = answer({limited, *cpu_}, {.context = long_context});
    EXPECT_EQ(outcome.tokens, wanted_);
    if (outcome.on_card > 0 && outcome.on_card < layers) {
      EXPECT_TRUE(outcome.notice.ends_with(split_notice(outcome.on_card, too_small))) << outcome.notice;
    }
    return outcome.on_card;
  };
  EXPECT_EQ(on_card(6), 6);
  EXPECT_EQ(on_card(5), 5);
  EXPECT_EQ(on_card(4), 2);  // after 6 and 5
}

// Memory that is full because of one refusal, wherever it is: the answer is the same, and what was given up is told.
TEST_F(LayerLadder, EveryAllocationMayFailOnce) {
  int64_t allocations = 0;
  {
    auto card = SealedDevice::create({});
    ASSERT_TRUE(card);
    answer({**card, *cpu_}, {}, card->get());
    allocations = (*card)->allocations();
  }
  std::set<std::string> endings;
  int unnoticed = 0;  // while free memory is measured: it is taken in smaller pieces then
  for (int64_t at = 0; at < allocations; ++at) {
    const Outcome outcome = answer(SealedOptions{.fail_allocation = at});
    unnoticed += outcome.notice.empty();
    if (outcome.notice.empty()) {
      EXPECT_EQ(outcome.on_card, layers);
    } else {
      endings.insert(outcome.notice.substr(outcome.notice.rfind(' ')));
    }
  }
  EXPECT_TRUE(endings.contains(" all."));
  EXPECT_TRUE(endings.contains(" time."));
  EXPECT_LE(unnoticed, 2);
}

TEST(LayerFit, FreeMemoryIsWhatIsGiven) {
  constexpr size_t limit = size_t{100} << 20;
  auto card = SealedDevice::create({.own_limit = limit});
  ASSERT_TRUE(card);
  EXPECT_EQ(free_bytes(**card, 1000), 1000u);
  EXPECT_EQ(free_bytes(**card, limit), limit);
  EXPECT_EQ(free_bytes(**card, 2 * limit), limit);
  EXPECT_EQ((*card)->own_bytes(), 0u);
}

TEST(LayerFit, TheLargestCountThatFitsIsFound) {
  for (int most = 0; most <= 9; ++most) {
    for (size_t room = 0; room <= 100; room += 7) {
      const auto found = largest_that_fits(most, room, [](int count) -> Result<size_t> { return static_cast<size_t>(5 + 10 * count); });
      const int wanted = room < 15 ? 0 : static_cast<int>(room - 5) / 10;
      EXPECT_EQ(found.value_or(-1), std::min(most, wanted)) << most << ' ' << room;
    }
  }
}

// A model that sees: its tower keeps the device when nothing of the language model finds room there.
TEST(VisionLadder, PicturesAreEncodedWhereTheyFit) {
  const auto open = [](const SealedOptions& sealed, int gpu_layers, std::string& notice, std::string& backend, size_t& own) {
    auto cpu = make_cpu_device({.threads = 2, .pin = false});
    auto card = SealedDevice::create(sealed);
    EXPECT_TRUE(cpu && card);
    AssistantOptions options{.model = fixture("transformers/llava15").string(), .context = 512, .exact = true};
    options.gpu_layers = gpu_layers;
    const auto assistant = Assistant::load({**card, **cpu}, options);
    EXPECT_TRUE(assistant) << assistant.error().message();
    Request request;
    const Golden golden = read_goldens("transformers/llava15").at(0);
    request.raw_prompt = golden.prompt;
    for (const std::string& picture : golden.pictures) request.raw_pictures.push_back(picture_file("transformers/llava15/" + picture));
    EXPECT_EQ((*assistant)->probe(request, 32)->greedy, golden.greedy);
    notice = (*assistant)->notice(), backend = (*assistant)->device().backend, own = (*card)->own_bytes();
  };
  std::string notice, backend;
  size_t own = 0;
  open({}, 0, notice, backend, own);
  EXPECT_EQ(notice, "Pictures are encoded by Sealed memory, the language model is computed by the processor, as asked for.");
  EXPECT_EQ(backend, "cpu");
  EXPECT_GT(own, 0u);
  open({.own_limit = own}, -1, notice, backend, own);
  EXPECT_EQ(notice, "Pictures are encoded by Sealed memory, the language model is computed by the processor, because the memory of the former is too small for it.");
  open({.own_limit = own - 1}, -1, notice, backend, own);
  EXPECT_EQ(notice, nothing_fits);
  EXPECT_EQ(own, 0u);
  open({}, 1, notice, backend, own);
  EXPECT_EQ(notice, "1 of 2 layers are computed by Sealed memory, the others by the processor, as asked for.");
  EXPECT_EQ(backend, "sealed");
}

}  // namespace
}  // namespace lava::test
