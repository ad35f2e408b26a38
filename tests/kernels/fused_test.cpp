// Fused ops against the smaller ones that they replace, on every case of the self-test and at every instruction set: the same bits.
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "kernels/call_list.h"
#include "kernels/cpu/isa.h"
#include "kernels/selftest/cases.h"

namespace lava {
namespace {

constexpr size_t memory_bytes = size_t{24} << 20;

// What a call writes, with where it stood.
struct Results : TensorVisitor {
  void read(Tensor&) override {}
  void written(Tensor& t) override { tensors.push_back(t); }
  std::vector<Tensor> tensors;
};

class Fused : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    auto device = make_cpu_device({.threads = 3, .isa = GetParam(), .pin = false});
    if (!device) GTEST_SKIP() << device.error().message();
    device_ = std::move(*device);
    memory_ = *device_->allocate(memory_bytes);
  }
  // The calls of a case in fresh memory with the same numbers.
  CallList calls_of(const selftest_detail::Case& test, bool fuses) {
    Arena arena(memory_->data(), memory_bytes);
    auto* step = new (arena.allocate(sizeof(StepParams))) StepParams;
    DeviceInfo info = device_->info();
    info.fuses = fuses;
    CaptureDevice capture(info);
    lava::Run run{capture, arena, step};
    selftest_detail::Builder builder(run, 11);
    test.body(builder);
    return capture.calls;
  }
  std::vector<std::byte> executed(CallList& calls) {
    for (size_t i = 0; i < calls.size(); ++i) device_->execute(calls[i]);
    return {memory_->data(), memory_->data() + memory_bytes};
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Buffer> memory_;
};

TEST_P(Fused, AreTheComposedOnesToTheBit) {
  std::map<OpId, int> compared;
  for (const selftest_detail::Case& test : selftest_detail::all_cases()) {
    if (!test.name.starts_with("normed, ") && test.op != OpId::rope_attention) continue;  // the others are one op in any case
    CallList one = calls_of(test, true);
    const size_t calls = one.size();
    const std::vector<std::byte> fused = executed(one);
    CallList several = calls_of(test, false);
    EXPECT_GT(several.size(), calls) << test.name;
    const std::vector<std::byte> composed = executed(several);
    Results results;
    for (size_t i = 0; i < calls; ++i) op_info(one[i].id).visit(one.args(i), results);
    for (const Tensor& t : results.tensors) {
      ASSERT_TRUE(t.contiguous());
      EXPECT_EQ(std::memcmp(fused.data() + (t.data - memory_->data()), composed.data() + (t.data - memory_->data()), t.bytes()), 0) << test.name;
    }
    ++compared[test.op];
  }
  EXPECT_GE(compared[OpId::linear], 28);
  EXPECT_GE(compared[OpId::rope_attention], 30);
}

std::vector<std::string> levels() {
  std::vector<std::string> names;
  for (int i = 1; i < kernel_table_count; ++i) names.push_back(kernel_tables[i].level);  // the reference fuses nothing
  return names;
}
INSTANTIATE_TEST_SUITE_P(Levels, Fused, testing::ValuesIn(levels()), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lava
