// The CUDA device and every op's kernels, run on the processor (tests/cuda/emulated), against the references.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <vector>

#include "kernels/cuda/cuda_device.h"
#include "kernels/ops.h"
#include "kernels/selftest/selftest.h"

namespace lava {
namespace {

std::unique_ptr<Device> open() {
  auto device = cuda::make_cuda_device(0);
  EXPECT_TRUE(device) << device.error().message();
  return std::move(*device);
}

class EmulatedOp : public testing::TestWithParam<int> {};

TEST_P(EmulatedOp, EqualsReference) {
  const std::unique_ptr<Device> device = open();
  const char* op = op_info(static_cast<OpId>(GetParam())).name;
  const std::vector<SelftestRow> rows = selftest(*device, op);
  EXPECT_FALSE(rows.empty()) << op;
  for (const SelftestRow& row : rows) EXPECT_TRUE(row.ok) << row.op << ": " << row.name << ": " << row.nmse << " > " << row.limit;
  EXPECT_TRUE(device->finish());
}

INSTANTIATE_TEST_SUITE_P(Ops, EmulatedOp, testing::Range(0, op_count), [](const auto& info) { return std::string(op_info(static_cast<OpId>(info.param)).name); });

// A step: out = row `token` of a table, then attention over what `past` says.
struct Step {
  explicit Step(Device& device) : memory(std::move(*device.allocate(size_t{1} << 20))), arena(memory->data(), memory->size()), run{device, arena} {
    run.step = new (arena.allocate(sizeof(StepParams))) StepParams;
    table = arena.f32({5, 8}), out = arena.f32({1, 8}), keys = arena.f32({2, context, 8}), values = arena.f32({2, context, 8}), answer = arena.f32({1, 2, 8});
    for (const Tensor& t : {table, keys, values}) {
      for (int64_t i = 0; i < t.elements(); ++i) t.f32()[i] = static_cast<float>((i * 37) % 101) * 0.01f;
    }
  }
  void give() {
    Matrix words;
    words.out = 5, words.in = 8, words.data = table.data;
    ops::embed_step(run, out, words);
    ops::attention(run, answer, Tensor(DType::f32, {1, 2, 8}, table.data), keys, values, 0.3f, true);
  }
  static constexpr int context = 300;
  std::unique_ptr<Buffer> memory;
  Arena arena;
  Run run;
  Tensor table, out, keys, values, answer;
};

TEST(CudaDevice, ReplayReadsTheStepOfItsTime) {
  const std::unique_ptr<Device> device = open();
  Step recorded(*device), eager(*device);
  recorded.run.step->limit = Step::context;
  const auto recording = device->record([&] { recorded.give(); });
  for (const auto& [past, token] : {std::pair{0, 4}, {63, 0}, {64, 2}, {299, 1}}) {
    recorded.run.step->past = eager.run.step->past = past, recorded.run.step->token = eager.run.step->token = token;
    recording->replay();
    eager.give();
    ASSERT_TRUE(device->finish());
    for (int i = 0; i < 8; ++i) EXPECT_EQ(recorded.out.f32()[i], recorded.table.f32()[8 * token + i]);
    for (int i = 0; i < 16; ++i) EXPECT_NEAR(recorded.answer.f32()[i], eager.answer.f32()[i], 1e-6f) << past;
  }
}

TEST(CudaDevice, UploadsGoThroughAllOfTheRing) {
  const std::unique_ptr<Device> device = open();
  std::vector<std::byte> bytes((size_t{50} << 20) + 5), back(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 31 >> 7);
  auto target = device->allocate(bytes.size(), BufferUse::own), copy = device->allocate(bytes.size(), BufferUse::sparse);
  ASSERT_TRUE(target && copy);
  device->upload((*target)->data(), bytes);
  device->copy((*copy)->data(), (*target)->data(), bytes.size());
  device->download(back, (*copy)->data());
  EXPECT_TRUE(device->finish());
  EXPECT_EQ(bytes, back);
}

TEST(CudaDevice, OutOfMemoryIsTheBuffersErrorOnly) {
  const std::unique_ptr<Device> device = open();
  for (const BufferUse use : {BufferUse::own, BufferUse::shared}) {
    emulator::fail_at(0, cudaErrorMemoryAllocation, false);
    const auto buffer = device->allocate(size_t{100} << 20, use);
    ASSERT_FALSE(buffer);
    EXPECT_EQ(buffer.error().kind, Error::Kind::out_of_memory);
    EXPECT_NE(buffer.error().message().find("100 MB"), std::string::npos) << buffer.error().message();
    EXPECT_TRUE(device->finish());
  }
}

// Each call in turn loses the device: open() or finish() tells it, nothing crashes, everything is given back.
TEST(CudaDevice, LossAtEveryCallIsTold) {
  const int before = emulator::alive();
  int told = 0;
  for (int call = 0; call < 60; ++call) {
    emulator::fail_at(call, cudaErrorLaunchFailure, true);
    if (auto device = cuda::make_cuda_device(0)) {
      auto memory = (*device)->allocate(64, BufferUse::own);
      if (memory) {
        std::vector<std::byte> bytes(64);
        (*device)->upload((*memory)->data(), bytes);
        auto input = (*device)->allocate(64);
        if (input) {
          std::memset((*input)->data(), 0, 64);
          Arena arena;
          lava::Run run{**device, arena};
          const Tensor t(DType::f32, {1, 16}, (*input)->data());
          const auto recording = (*device)->record([&] { ops::activate(run, t, t, Activation::relu); });
          recording->replay();
          (*device)->download(bytes, (*memory)->data());
        }
      }
      const auto finished = (*device)->finish();
      if (!finished) {
        EXPECT_EQ(finished.error().kind, Error::Kind::device_lost);
        EXPECT_NE(finished.error().message().find("cudaErrorLaunchFailure"), std::string::npos);
        ++told;
      }
    } else {
      EXPECT_EQ(device.error().kind, Error::Kind::device_lost);
      ++told;
    }
    emulator::fail_at(-1, cudaSuccess, false);
    ASSERT_EQ(emulator::alive(), before) << call;
  }
  EXPECT_GT(told, 15);
  EXPECT_LT(told, 60);  // the last calls come after everything is done
}

}  // namespace
}  // namespace lava
