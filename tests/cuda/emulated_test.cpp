// Every op's CUDA kernels, run on the processor (tests/cuda/emulated), against the references.
#include <gtest/gtest.h>

#include <memory>

#include "kernels/cpu/memory.h"
#include "kernels/cuda/ops_table.h"
#include "kernels/selftest/selftest.h"
#include "tests/cuda/emulated/kernels/cuda/intrinsics.cuh"

namespace lava {
namespace {

class EmulatedDevice : public Device {
 public:
  const DeviceInfo& info() const override { return info_; }
  Result<std::unique_ptr<Buffer>> allocate(size_t bytes, BufferUse use) override { return allocate_host(bytes, use); }
  void execute(const OpCall& call) override {
    stream_.enter(op_info(call.id).name);
    cuda::ops_table[static_cast<int>(call.id)](call.args, stream_);
  }
  std::unique_ptr<Recording> record(const std::function<void()>& body) override {
    emulator::recorded.clear();
    stream_.begin_recording();
    body();
    auto steps = stream_.end_recording();
    return std::make_unique<Replay>(*this, std::move(steps), std::move(emulator::recorded));
  }

 private:
  struct Replay : Recording {
    Replay(EmulatedDevice& d, std::vector<const StepParams*> s, std::vector<std::function<void()>> l) : device(d), steps(std::move(s)), launches(std::move(l)) {}
    void replay() override {
      for (size_t i = 0; i < steps.size(); ++i) *device.stream_.mirror(i) = *steps[i];
      for (const auto& launch : launches) launch();
    }
    EmulatedDevice& device;
    std::vector<const StepParams*> steps;
    std::vector<std::function<void()>> launches;
  };

  static constexpr int processors = 16;
  DeviceInfo info_{"emulated", "cuda", "none", processors};
  std::vector<float> workspace_ = std::vector<float>(1 << 20);
  StepParams mirrors_[cuda::Stream::max_mirrors];
  cuda::Stream stream_{cuda::StreamResources{nullptr, processors, reinterpret_cast<std::byte*>(workspace_.data()), workspace_.size() * sizeof(float), mirrors_}};
};

class EmulatedOp : public testing::TestWithParam<int> {};

TEST_P(EmulatedOp, EqualsReference) {
  EmulatedDevice device;
  const char* op = op_info(static_cast<OpId>(GetParam())).name;
  const std::vector<SelftestRow> rows = selftest(device, op);
  EXPECT_FALSE(rows.empty()) << op;
  for (const SelftestRow& row : rows) EXPECT_TRUE(row.ok) << row.op << ": " << row.name << ": " << row.nmse << " > " << row.limit;
}

INSTANTIATE_TEST_SUITE_P(Ops, EmulatedOp, testing::Range(0, op_count), [](const auto& info) { return std::string(op_info(static_cast<OpId>(info.param)).name); });

}  // namespace
}  // namespace lava
