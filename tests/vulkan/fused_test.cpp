// Fused ops against the smaller ones that they replace, both on the device.
#include <cstring>

#include "kernels/call_list.h"
#include "kernels/compare.h"
#include "kernels/selftest/cases.h"
#include "tests/vulkan/vulkan_fixture.h"

namespace lava::test {
namespace {

using selftest_detail::Builder;
using selftest_detail::Case;

constexpr size_t memory_bytes = size_t{24} << 20;

struct Results : TensorVisitor {
  void read(Tensor&) override {}
  void written(Tensor& t) override { tensors.push_back(t); }
  std::vector<Tensor> tensors;
};

class VulkanFused : public Vulkan {
 protected:
  void SetUp() override {
    Vulkan::SetUp();
    if (!IsSkipped()) memory_ = allocate(memory_bytes, BufferUse::shared);
  }
  // The calls of a case in memory with the same numbers.
  CallList calls_of(const Case& test, bool fuses) {
    std::memset(memory_->data(), 0, memory_bytes);
    Arena arena(memory_->data(), memory_bytes);
    auto* step = new (arena.allocate(sizeof(StepParams))) StepParams;
    DeviceInfo info = device_->info();
    EXPECT_TRUE(info.fuses);
    info.fuses = fuses;
    CaptureDevice capture(info);
    lava::Run run{capture, arena, step};
    Builder builder(run, 11);
    test.body(builder);
    before_.assign(memory_->data(), memory_->data() + memory_bytes);
    return capture.calls;
  }
  std::vector<std::byte> executed(CallList& calls) {
    for (size_t i = 0; i < calls.size(); ++i) device_->execute(calls[i]);
    expect_finished();
    return {memory_->data(), memory_->data() + memory_bytes};
  }
  // The largest error of what the one op writes against what the several leave there; what else it reads must stay as it was.
  double error_of(const Case& test) {
    CallList several = calls_of(test, false);
    const std::vector<std::byte> composed = executed(several);
    CallList one = calls_of(test, true);
    EXPECT_EQ(one.size(), 1u) << test.name;
    EXPECT_GT(several.size(), one.size()) << test.name;
    executed(one);
    Results results;
    op_info(one[0].id).visit(one.args(0), results);
    double worst = 0;
    for (const Tensor& t : results.tensors) {
      const ptrdiff_t at = t.data - memory_->data();
      worst = std::max(worst, compare_changed(t, composed.data() + at, before_.data() + at).nmse);
    }
    return worst;
  }

  std::unique_ptr<Buffer> memory_;
  std::vector<std::byte> before_;
};

// The gain comes before the product and 1 / rms behind it, instead of both before: floats round otherwise, and that is all. So do halves, where
// matrices are multiplied that may meet rounded activations.
TEST_F(VulkanFused, ANormedProductIsTheComposedOneButForRounding) {
  constexpr double floats = 1e-11, halves = 2e-7;
  const bool matrices = device_->info().isa.find("matrices") != std::string::npos;
  int compared = 0;
  for (const Case& test : selftest_detail::all_cases()) {
    if (!test.name.starts_with("normed, ")) continue;
    EXPECT_LT(error_of(test), matrices && test.limit > 1e-9 ? halves : floats) << test.name;
    ++compared;
  }
  EXPECT_GE(compared, 28);
}

// The same arithmetic in the same order; other drivers than the one seen here may contract products and sums of the attention differently.
TEST_F(VulkanFused, AStepOfAttentionIsTheComposedOne) {
  const bool same_compiler = module().list()->front().software;
  int compared = 0;
  for (const Case& test : selftest_detail::all_cases()) {
    if (test.op != OpId::rope_attention) continue;
    EXPECT_LE(error_of(test), same_compiler ? 0.0 : selftest_detail::float_limit) << test.name;
    ++compared;
  }
  EXPECT_GE(compared, 30);
}

// Heads so wide that a workgroup keeps one query, and wider than it can keep. (The software driver ends loops after 65,535 rounds: few keys.)
TEST_F(VulkanFused, WideHeadsAreTheComposedOnes) {
  for (const int64_t d : {1024, 2016, 4096, 16384}) {
    for (const DType type : {DType::f32, DType::q8_0}) {
      const Case test{OpId::rope_attention, std::to_string(d) + " wide", 0, [=](Builder& b) {
                        b.run.step->past = d > 4096 ? 40 : 131;
                        const int64_t context = b.run.step->past + 9;
                        const Tensor q = b.random({1, 2, d}, 2), k = b.random({1, 1, d}), v = b.random({1, 1, d}), out = b.random({1, 2, d}), table = b.random({context, 64});
                        const auto [keys, values] = b.cache(type, 1, context, d);
                        ops::rope_attention(b.run, out, q, k, v, table, RopeStyle::half, keys, values, 0.02f);
                      }};
      EXPECT_LE(error_of(test), selftest_detail::float_limit) << test.name;
    }
  }
}

// Bytes may begin anywhere.
TEST_F(VulkanFused, PatchesFromBytesAreThoseFromFloats) {
  constexpr int64_t h = 23, w = 17, channels = 3;
  for (const int64_t patch : {1, 5, 8}) {
    for (const int64_t begin : {0, 1, 2, 3}) {
      Arena arena(memory_->data(), memory_bytes);
      lava::Run run{*device_, arena};
      Builder b(run, 5);
      const Tensor raw = b.bytes({h * w * channels + 3}), table = b.random({channels, 256}), pixels = arena.f32({channels, h, w});
      const Tensor bytes(DType::u8, {h, w, channels}, raw.data + begin);
      for (int64_t i = 0; i < h * w * channels; ++i) {
        const int64_t channel = i % channels;
        pixels.f32()[channel * h * w + i / channels] = table.f32()[256 * channel + bytes.as<uint8_t>()[i]];
      }
      const Tensor fused = b.random({(h / patch) * (w / patch), channels * patch * patch}), composed = b.random({(h / patch) * (w / patch), channels * patch * patch});
      ops::patchify_bytes(run, fused, bytes, table, static_cast<int>(patch));
      ops::patchify(run, composed, pixels, static_cast<int>(patch));
      expect_finished();
      EXPECT_EQ(std::memcmp(fused.data, composed.data, fused.bytes()), 0) << patch << " from byte " << begin;
    }
  }
}

}  // namespace
}  // namespace lava::test
