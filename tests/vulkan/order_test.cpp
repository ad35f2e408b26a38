// Where barriers stand: between ops that need each other, and nowhere else. The loader's notes of what was recorded show them.
#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <utility>

#include "tests/vulkan/loader/troubled_loader.h"
#include "tests/vulkan/vulkan_fixture.h"

namespace lava::test {
namespace {

class VulkanOrder : public Vulkan {
 protected:
  void SetUp() override {
    Vulkan::SetUp();
    if (!IsSkipped()) loader_.reset();
  }
  // What was recorded since the last time: d dispatch, c copy, | barrier.
  std::string recorded() { return std::exchange(loader_.commands, {}); }
  TroubledLoader& loader_ = *lava_troubled_loader();
};

TEST_F(VulkanOrder, IndependentOpsHaveNoBarriers) {
  const auto memory = allocate(4096, BufferUse::own);
  Arena arena(memory->data(), memory->size());
  lava::Run run{*device_, arena};
  const Tensor a = arena.f32({16}), b = arena.f32({16}), c = arena.f32({16}), d = arena.f32({16}), e = arena.f32({16});
  ops::add(run, c, a, b), ops::add(run, d, a, b), ops::softmax(run, e, a);
  EXPECT_EQ(recorded(), "ddd");
  ops::add(run, a, b, b);  // others read a
  EXPECT_EQ(recorded(), "|d");
  ops::add(run, c, d, e);  // all from before the barrier
  EXPECT_EQ(recorded(), "d");
  ops::add(run, e, a, a);  // written since
  EXPECT_EQ(recorded(), "|d");
  ops::softmax(run, d, d);
  EXPECT_EQ(recorded(), "d");
  const auto recording = device_->record([&] { ops::add(run, c, a, b), ops::add(run, d, a, b), ops::add(run, e, c, d); });
  EXPECT_EQ(recorded(), "|dd|d");  // whatever comes before a replay
  recording->replay();
  ops::add(run, b, b, b);  // whatever a replay did
  EXPECT_EQ(recorded(), "|d");
  expect_finished();
}

TEST_F(VulkanOrder, WeightsAndScratchCount) {
  constexpr int64_t d = 8, keys = 200;
  const auto memory = allocate(1 << 17, BufferUse::own);
  Arena arena(memory->data(), memory->size());
  lava::Run run{*device_, arena};
  const Tensor x = arena.f32({1, 32}), y = arena.f32({1, 32}), z = arena.f32({1, 32}), weight = arena.f32({32, 32});
  const std::vector<float> values(32 * 32, 0.5f);
  LinearTarget target;
  target.weight.out = target.weight.in = 32, target.weight.data = weight.data, target.out = y;
  device_->upload(x.data, std::span(bytes_of(values)).first(128));
  device_->upload(weight.data, bytes_of(values));
  ops::linear(run, {&target, 1}, x);
  EXPECT_EQ(recorded(), "cc|d");
  target.out = z;
  ops::linear(run, {&target, 1}, x);
  device_->upload(weight.data, bytes_of(values));
  EXPECT_EQ(recorded(), "d|c");
  // Attention that cuts its keys keeps parts in scratch, which the next one wants too.
  const Tensor q = arena.f32({1, 2, d}), k = arena.f32({2, keys, d}), v = arena.f32({2, keys, d}), one = arena.f32({1, 2, d}), two = arena.f32({1, 2, d});
  recorded();
  ops::attention(run, one, q, k, v, 0.3f, false), ops::attention(run, two, q, k, v, 0.3f, false);
  EXPECT_EQ(recorded(), "d|d|d|d");
  device_->finish();
}

// Where subgroups multiply matrices, powers for x and each matrix come before, and all the products of an op behind one barrier.
TEST_F(VulkanOrder, ProductsOfMatricesFindTheirPowersFirst) {
  constexpr int64_t rows = 40, width = 32;
  const bool matrices = device_->info().isa.find("matrices") != std::string::npos;
  const auto memory = allocate(1 << 17, BufferUse::own);
  Arena arena(memory->data(), memory->size());
  lava::Run run{*device_, arena};
  const Tensor x = arena.f32({rows, width}), weight = arena.f32({width, width});
  std::array<LinearTarget, 2> targets;
  for (LinearTarget& target : targets) {
    target.weight.out = target.weight.in = width, target.weight.data = weight.data, target.weight.precision = Precision::bf16;
    target.out = arena.f32({rows, width});
  }
  const Tensor more = arena.f32({rows - 9, width});
  ops::linear(run, targets, x);
  EXPECT_EQ(recorded(), matrices ? "dd|dd" : "dd");
  ops::linear_glu(run, targets[0], targets[1], x);
  EXPECT_EQ(recorded(), matrices ? "|dd|d|d" : "|d|d");
  targets[1].weight.precision = Precision::exact;
  ops::linear(run, targets, x);
  EXPECT_EQ(recorded(), matrices ? "|d|dd" : "|dd");
  targets[0].out = more;
  ops::linear(run, {targets.data(), 1}, x.slice(0, rows - 9));  // too few
  EXPECT_EQ(recorded(), "d");
  expect_finished();
}

// One layer of a decoder's step as engine/layers/decoder gives it: five ops in a chain, each one dispatch and none waiting in itself.
class VulkanLayer : public VulkanOrder {
 protected:
  static constexpr int64_t width = 64, heads = 4, kv_heads = 2, d = 16, feed_forward = 96, context = 400;

  void SetUp() override {
    VulkanOrder::SetUp();
    if (IsSkipped()) return;
    memory_ = allocate(1 << 20, BufferUse::own), shared_ = allocate(4096, BufferUse::shared);
    arena_.emplace(memory_->data(), memory_->size());
    step_ = new (shared_->data()) StepParams{.past = 3, .limit = 40};
    x_ = arena_->f32({1, width});
  }
  // The order of a layer whose values have a format of their own, or not.
  std::string layer(bool recorded_too, DType values = DType::f32) {
    lava::Run run{*device_, *arena_, step_};
    const auto give = [&] { give_layer(run, values); };
    recorded();
    give();
    std::string steps = recorded();
    if (steps.starts_with('|')) steps.erase(0, 1);  // for what came before the layer
    if (recorded_too) {
      const auto recording = device_->record(give);
      EXPECT_EQ(recorded(), "|" + steps);
    }
    device_->finish();
    return steps;
  }

 private:
  LinearTarget target(const Tensor& out, int64_t in, bool accumulate = false, DType format = DType::f32) {
    LinearTarget made;
    made.weight.format = format, made.weight.out = static_cast<int32_t>(out.extent[1]), made.weight.in = static_cast<int32_t>(in);
    made.weight.data = arena_->f32({out.extent[1], in}).data;
    made.out = out, made.accumulate = accumulate;
    return made;
  }
  void give_layer(lava::Run& run, DType values) {
    const auto scope = arena_->scope();
    const Tensor gain = arena_->f32({width}), table = arena_->f32({context, d}), mix = arena_->f32({1, heads * d});
    const Tensor q = arena_->f32({1, heads * d}), k = arena_->f32({1, kv_heads * d}), v = arena_->f32({1, kv_heads * d});
    const Tensor gate = arena_->f32({1, feed_forward}), up = arena_->f32({1, feed_forward});
    const Tensor k_cache = arena_->f32({kv_heads, context, d}), v_cache = arena_->f32({kv_heads, context, d});
    ops::linear(run, std::array{target(q, width), target(k, width), target(v, width, false, values)}, x_, {gain, 1e-5f});
    ops::rope_attention(run, mix.reshape({1, heads, d}), q.reshape({1, heads, d}), k.reshape({1, kv_heads, d}), v.reshape({1, kv_heads, d}), table, RopeStyle::half,
                        k_cache, v_cache, 0.25f);
    ops::linear(run, std::array{target(x_, heads * d, true)}, mix);
    ops::linear_glu(run, target(gate, width), target(up, width), x_, {gain, 1e-5f});
    ops::linear(run, std::array{target(x_, feed_forward, true)}, gate);
  }

 protected:
  std::unique_ptr<Buffer> memory_, shared_;
  std::optional<Arena> arena_;
  StepParams* step_ = nullptr;
  Tensor x_;
};

TEST_F(VulkanLayer, HasFiveDispatchesAndABarrierBetweenThem) {
  EXPECT_EQ(layer(true), "d|d|d|d|d");
  // Targets of several formats take one dispatch each format, side by side.
  EXPECT_EQ(layer(true, DType::f16), "dd|d|d|d|d");
}

TEST_F(VulkanLayer, HasOneMoreWhereKeysAreCut) {
  step_->past = 299, step_->limit = 300;
  EXPECT_EQ(layer(true), "d|d|d|d|d|d");
}

// Without room for a whole head in a workgroup rotation goes before, which the caller does not see.
TEST_F(VulkanLayer, WideHeadsAreRotatedBefore) {
  constexpr int64_t wide = 16384;
  lava::Run run{*device_, *arena_, step_};
  step_->past = 0;
  const Tensor q = arena_->f32({1, 1, wide}), table = arena_->f32({1, 64}), cache = arena_->f32({2, 1, wide}), out = arena_->f32({1, 1, wide});
  const Tensor keys = cache.slice(0, 1), values = cache.slice(1, 1);
  recorded();
  ops::rope_attention(run, out, q, q, q, table, RopeStyle::half, keys, values, 1);
  EXPECT_EQ(recorded(), "d|d");
  device_->finish();
}

// Random work on random stretches, eager, against a look at every byte: a barrier stands exactly where one is needed.
TEST_F(VulkanOrder, RandomWorkIsOrderedByWhatItTouches) {
  constexpr size_t size = 256;  // floats
  const auto memory = allocate(4 * size, BufferUse::own);
  Arena arena;
  lava::Run run{*device_, arena};
  std::mt19937 random(7);
  std::vector<int> since(size, 0);  // 0: untouched since the last barrier, 1: read, 2: written
  const std::vector<float> values(size, 1.0f);
  int barriers = 0, works = 0;
  for (int i = 0; i < 400; ++i) {
    const size_t count = 1 + random() % 24;
    const auto place = [&] { return random() % (size - count); };
    const size_t out = place(), a = place(), b = place();
    const auto tensor = [&](size_t at) { return Tensor(DType::f32, {static_cast<int64_t>(count)}, memory->data() + 4 * at); };
    const auto overlap = [&](size_t one, size_t other) { return one < other + count && other < one + count; };
    std::vector<size_t> read;
    const int kind = static_cast<int>(random() % 4);
    if (kind == 0) {
      read = {a, b}, ops::add(run, tensor(out), tensor(a), tensor(b));
    } else if (kind == 1) {
      device_->upload(tensor(out).data, bytes_of(values).first(4 * count));
    } else if (kind == 2) {
      if (overlap(out, a)) continue;  // which copies do not promise
      read = {a}, device_->copy(tensor(out).data, tensor(a).data, 4 * count);
    } else {
      ops::softmax(run, tensor(out), tensor(out));
    }
    ++works;
    bool needed = false;
    for (size_t at = 0; at < size; ++at) {
      const auto in = [&](size_t begin) { return at >= begin && at < begin + count; };
      const bool reads = std::any_of(read.begin(), read.end(), in);
      needed = needed || (in(out) && since[at] > 0) || (reads && since[at] == 2);
    }
    if (needed) since.assign(size, 0), ++barriers;
    for (size_t at = 0; at < size; ++at) {
      const auto in = [&](size_t begin) { return at >= begin && at < begin + count; };
      if (in(out)) since[at] = 2;
      else if (std::any_of(read.begin(), read.end(), in)) since[at] = std::max(since[at], 1);
    }
    EXPECT_EQ(recorded(), std::string(needed ? "|" : "") + (kind == 1 || kind == 2 ? "c" : "d")) << "work " << i;
    if (i % 50 == 49) expect_finished();  // which is no barrier
  }
  EXPECT_GT(barriers, works / 10);
  EXPECT_LT(barriers, works * 9 / 10);
}

}  // namespace
}  // namespace lava::test
