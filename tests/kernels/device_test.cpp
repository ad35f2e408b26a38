#include "kernels/device.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/ops.h"
#include "tests/kernels/allocation_counter.h"

namespace lava {
namespace {

std::unique_ptr<Device> cpu(int threads, std::string isa = {}) {
  CpuOptions options;
  options.threads = threads, options.isa = std::move(isa);
  auto device = make_cpu_device(options);
  EXPECT_TRUE(device) << device.error().message();
  return std::move(*device);
}

// x += 1; y = rms_norm(x); y = softmax(y)
struct Chain {
  std::vector<float> x = std::vector<float>(96, 0.5f), y = std::vector<float>(96), one = std::vector<float>(32, 1), weight = std::vector<float>(32);
  Chain() {
    for (size_t i = 0; i < x.size(); ++i) x[i] = 0.01f * static_cast<float>(i);
    for (size_t i = 0; i < weight.size(); ++i) weight[i] = 1 + 0.1f * static_cast<float>(i);
  }
  void run(Device& device) {
    Arena arena;
    Run run{device, arena};
    const Tensor tx(DType::f32, {3, 32}, x.data()), ty(DType::f32, {3, 32}, y.data());
    ops::add(run, tx, tx, Tensor(DType::f32, {32}, one.data()));
    ops::rms_norm(run, ty, tx, Tensor(DType::f32, {32}, weight.data()), 1e-5f);
    ops::softmax(run, ty, ty);
  }
};

TEST(CpuDevice, ReplayEqualsEager) {
  for (const int threads : {1, 2, 5}) {
    auto device = cpu(threads);
    Chain eager, recorded;
    for (int i = 0; i < 3; ++i) eager.run(*device);
    auto recording = device->record([&] { recorded.run(*device); });
    EXPECT_EQ(recorded.x, Chain().x);  // recording runs nothing
    for (int i = 0; i < 3; ++i) recording->replay();
    EXPECT_EQ(recorded.x, eager.x);
    EXPECT_EQ(recorded.y, eager.y);
  }
}

TEST(CpuDevice, ReplayAllocatesNothing) {
  auto device = cpu(2);
  Chain chain;
  auto recording = device->record([&] { chain.run(*device); });
  recording->replay();
  const int64_t before = allocation_count();
  for (int i = 0; i < 100; ++i) recording->replay();
  EXPECT_EQ(allocation_count(), before);
  chain.run(*device);
  EXPECT_EQ(allocation_count(), before);  // eager ops neither
}

TEST(CpuDevice, AnEmptyRecordingReplays) {
  auto device = cpu(2);
  device->record([] {})->replay();
}

TEST(CpuDevice, SaysWhatItIs) {
  auto device = cpu(2, "reference");
  EXPECT_EQ(device->info().backend, "cpu");
  EXPECT_EQ(device->info().isa, "reference");
  EXPECT_EQ(device->info().threads, 2);
  EXPECT_FALSE(device->info().name.empty());
}

TEST(CpuDevice, RefusesUnknownLevelsAndBadThreadCounts) {
  CpuOptions options;
  options.isa = "sse9";
  auto device = make_cpu_device(options);
  ASSERT_FALSE(device);
  EXPECT_NE(device.error().message().find("reference"), std::string::npos) << device.error().message();
  options.isa.clear(), options.threads = -1;
  EXPECT_FALSE(make_cpu_device(options));
  options.threads = 100000;
  EXPECT_FALSE(make_cpu_device(options));
}

TEST(CpuDevice, TheEnvironmentChoosesTheLevel) {
  setenv("LAVASCOPE_ISA", "reference", 1);
  EXPECT_EQ(cpu(1)->info().isa, "reference");
  setenv("LAVASCOPE_ISA", "nonsense", 1);
  EXPECT_FALSE(make_cpu_device({}));
  unsetenv("LAVASCOPE_ISA");
  EXPECT_EQ(cpu(1)->info().isa, runnable_levels().back());
}

TEST(CpuDevice, AllocatesAlignedMemoryAndRefusesTheImpossible) {
  auto device = cpu(1);
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{1000}, size_t{5} << 20}) {
    auto buffer = device->allocate(bytes);
    ASSERT_TRUE(buffer);
    EXPECT_EQ((*buffer)->size(), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>((*buffer)->data()) % 64, 0u);
  }
  for (const size_t bytes : {size_t{1} << 60, std::numeric_limits<size_t>::max() - 5}) {
    auto buffer = device->allocate(bytes);
    ASSERT_FALSE(buffer);
    EXPECT_EQ(buffer.error().kind, Error::Kind::out_of_memory);
  }
}

TEST(PlanDevice, RunsNothingAndMeasuresTheArena) {
  auto device = make_plan_device();
  Arena arena;
  lava::Run run{*device, arena};
  {
    const auto scope = arena.scope();
    const Tensor x = arena.f32({100, 32}), weight = arena.f32({32});
    ops::rms_norm(run, x, x, weight, 1e-5f);
    device->record([&] { ops::softmax(run, x, x); })->replay();
  }
  EXPECT_EQ(arena.used(), 0u);
  EXPECT_EQ(arena.high_water(), 100u * 32 * 4 + 128);
  EXPECT_EQ((*device->allocate(size_t{1} << 40))->size(), size_t{1} << 40);
}

TEST(Arena, GivesAlignedMemoryAndNeverGrows) {
  alignas(64) std::byte memory[1024];
  Arena arena(memory, sizeof(memory));
  EXPECT_EQ(arena.allocate(1), memory);
  EXPECT_EQ(arena.allocate(1), memory + 64);
  {
    const auto scope = arena.scope();
    arena.allocate(896);
    EXPECT_EQ(arena.used(), 1024u);
  }
  EXPECT_EQ(arena.used(), 128u);
  EXPECT_EQ(arena.high_water(), 1024u);
}

TEST(ArenaDeathTest, OverflowIsAMistakeOfThePlan) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  alignas(64) static std::byte memory[128];
  EXPECT_DEATH(Arena(memory, sizeof(memory)).allocate(129), "internal error");
  EXPECT_DEATH(Arena(memory, sizeof(memory)).allocate(std::numeric_limits<size_t>::max()), "internal error");
}

}  // namespace
}  // namespace lava
