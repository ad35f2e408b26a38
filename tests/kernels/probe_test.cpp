// The roofs of the machine, and the work that ops are.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "kernels/cpu/isa.h"
#include "kernels/ops.h"
#include "kernels/probe/probe_kernels.h"
#include "kernels/probe/work_meter.h"

namespace lava {
namespace {

TEST(Roofs, EveryLevelThatRunsHereIsMeasured) {
  for (const std::string& level : runnable_levels()) {
    const ProbeKernels* probe = probe_kernels_of(level.c_str());
    ASSERT_EQ(probe == nullptr, level == "reference") << level;
    if (!probe) continue;
    ASSERT_NE(probe->f32.run, nullptr);
    for (const PeakLoop& loop : {probe->f32, probe->bf16, probe->int8}) {
      if (!loop.run) continue;
      EXPECT_GT(loop.operations, 0) << level;
      EXPECT_STRNE(loop.unit, "");
      loop.run(100);
    }
    alignas(64) std::array<float, 2048> ones;
    ones.fill(1);
    EXPECT_EQ(probe->read(reinterpret_cast<const std::byte*>(ones.data()), sizeof(ones)), 2048) << level;  // nothing is left out
  }
}

TEST(Roofs, SpeedsArePositiveAndNamed) {
  auto probe = RoofProbe::create(2);
  ASSERT_TRUE(probe) << probe.error().message();
  const Roofs roofs = *(*probe)->measure(0.01);
  if (runnable_levels().size() == 1) return;  // only the reference: there are no roofs
  EXPECT_GT(roofs.read, 0);
  EXPECT_GT(roofs.cache, 0);
  EXPECT_GT(roofs.f32, 0);
  EXPECT_GE(roofs.best_int8(), roofs.best_bf16() > 0 ? 1 : 0);
  EXPECT_FALSE(roofs.f32_unit.empty());
  EXPECT_EQ(roofs.level, runnable_levels().back());
}

struct Fixture {
  std::unique_ptr<Device> device = *make_cpu_device({.threads = 1, .pin = false});
  std::unique_ptr<Buffer> memory = *device->allocate(1 << 20);
  Arena arena{memory->data(), memory->size()};
  StepParams step;
};

TEST(WorkMeter, CountsWeightsAndOperationsByFormat) {
  Fixture f;
  WorkMeter meter(*f.device);
  lava::Run run{meter, f.arena, &f.step};
  const auto product = [&](DType format, Precision precision) {
    std::memset(f.memory->data(), 0, f.memory->size());
    const auto scope = f.arena.scope();
    Matrix w{format, preferred_layout(format, precision, true), precision, 32, 64};
    w.data = static_cast<std::byte*>(f.arena.allocate(packed_bytes(format, w.layout, 32, 64)));
    const Tensor x = f.arena.f32({3, 64}), out = f.arena.f32({3, 32});
    meter.total = {};
    ops::linear(run, std::array{LinearTarget{w, {}, out}}, x);
    return meter.total;
  };
  EXPECT_EQ(product(DType::f32, Precision::exact).operations(), 0);  // off
  meter.on = true;
  const Work f32 = product(DType::f32, Precision::exact);
  EXPECT_EQ(f32.f32, 2.0 * 3 * 32 * 64);
  EXPECT_EQ(f32.streamed, 4.0 * 32 * 64);
  EXPECT_EQ(product(DType::bf16, Precision::exact).bf16, 2.0 * 3 * 32 * 64);
  const Work q4 = product(DType::q4_0, Precision::fast);
  EXPECT_EQ(q4.int8, 2.0 * 3 * 32 * 64);
  EXPECT_EQ(q4.streamed, 18.0 * 32 * 64 / 32);
  EXPECT_GT(q4.bytes, q4.streamed);
  EXPECT_EQ(product(DType::q4_0, Precision::exact).f32, 2.0 * 3 * 32 * 64);
}

// Keys and values that a recorded step sees grow with its position.
TEST(WorkMeter, ReplayedStepsCountByTheirPosition) {
  Fixture f;
  WorkMeter meter(*f.device);
  lava::Run run{meter, f.arena, &f.step};
  std::memset(f.memory->data(), 0, f.memory->size());
  const Tensor q = f.arena.f32({1, 2, 16}), out = f.arena.f32({1, 2, 16}), k = f.arena.f32({2, 100, 16}), v = f.arena.f32({2, 100, 16});
  const auto recording = meter.record([&] { ops::attention(run, out, q, k, v, 1, true); });
  recording->replay();
  EXPECT_EQ(meter.total.streamed, 0);
  meter.on = true;
  f.step.past = 9;
  recording->replay();
  EXPECT_EQ(meter.total.streamed, 2.0 * 10 * 2 * 16 * 4);
  f.step.past = 19;
  recording->replay();
  EXPECT_EQ(meter.total.streamed, 2.0 * (10 + 20) * 2 * 16 * 4);
}

TEST(WorkMeter, TheNextWiderUnitCountsWhereOneIsMissing) {
  Roofs roofs;
  roofs.f32 = 100;
  Work work;
  work.int8 = 100, work.bf16 = 100, work.f32 = 100;
  EXPECT_DOUBLE_EQ(work.compute_seconds(roofs), 3);
  roofs.int8 = 400, roofs.bf16 = 200;
  EXPECT_DOUBLE_EQ(work.compute_seconds(roofs), 1.75);
}

}  // namespace
}  // namespace lava
