// Tracing and shadowing, eager and inside recordings.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/compare.h"
#include "kernels/half.h"
#include "kernels/ops.h"
#include "kernels/selftest/selftest.h"
#include "kernels/shadow.h"
#include "kernels/trace.h"

namespace lava {
namespace {

std::unique_ptr<Device> cpu() {
  CpuOptions options;
  options.threads = 2;
  return std::move(*make_cpu_device(options));
}

// Executes on the inner device, then spoils the first result value of one op.
class BrokenDevice : public DeviceDecorator {
 public:
  BrokenDevice(Device& inner, OpId bad) : DeviceDecorator(inner), bad_(bad) {}
  void execute(const OpCall& call) override {
    inner_.execute(call);
    if (call.id != bad_) return;
    struct Spoiler : TensorVisitor {
      void read(Tensor&) override {}
      void written(Tensor& t) override { last = t; }
      Tensor last;
    } spoiler;
    CallList copy;
    copy.append(call);
    op_info(call.id).visit(copy.args(0), spoiler);
    if (spoiler.last.dtype == DType::f16 || spoiler.last.dtype == DType::f16_keys) spoiler.last.as<uint16_t>()[0] = float_to_half(half_to_float(spoiler.last.as<uint16_t>()[0]) + 0.5f);
    else spoiler.last.as<float>()[0] += 0.5f;
  }

 private:
  OpId bad_;
};

// A small decoder step with in-place ops and a cache of halves; half of one tensor is normalised, the other half is not touched.
struct Step {
  std::vector<float> x = std::vector<float>(2 * 64), q = std::vector<float>(64), kv = std::vector<float>(64), table = std::vector<float>(8 * 16, 0.5f),
                     weight = std::vector<float>(32, 1.5f), out = std::vector<float>(64);
  std::vector<uint16_t> keys = std::vector<uint16_t>(2 * 16 * 16), values = std::vector<uint16_t>(2 * 16 * 16);
  StepParams step;

  Step() {
    for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
    for (size_t i = 0; i < q.size(); ++i) q[i] = std::cos(static_cast<float>(i)), kv[i] = 0.1f + q[i];
  }
  void run(Device& device) {
    Arena arena;
    Run run{device, arena, &step};
    const Tensor half = Tensor(DType::f32, {2, 64}, x.data()).columns(32, 32);
    ops::rms_norm(run, half, half, Tensor(DType::f32, {32}, weight.data()), 1e-5f);
    ops::activate(run, half, half, Activation::silu);
    const Tensor tq(DType::f32, {1, 4, 16}, q.data()), tk(DType::f32, {1, 2, 16}, kv.data()), tv(DType::f32, {1, 2, 16}, kv.data() + 32);
    const Tensor keys_(DType::f16_keys, {2, 16, 16}, keys.data()), values_(DType::f16, {2, 16, 16}, values.data());
    ops::qkv_rope_store(run, tq, tk, tv, Tensor(DType::f32, {8, 16}, table.data()), RopeStyle::half, keys_, values_);
    ops::attention(run, Tensor(DType::f32, {1, 4, 16}, out.data()), tq, keys_, values_, 0.25f, true);
    ops::add(run, Tensor(DType::f32, {64}, out.data()), Tensor(DType::f32, {64}, out.data()), Tensor(DType::f32, {64}, q.data()));
  }
};

TEST(Trace, CountsEagerAndReplayedOps) {
  auto device = cpu();
  auto trace = make_trace_device(*device);
  Step traced, plain;
  traced.run(*trace);
  auto recording = trace->record([&] { traced.run(*trace); });
  for (int i = 1; i <= 3; ++i) traced.step.past = i, recording->replay();
  for (int i = 0; i <= 3; ++i) plain.step.past = i, plain.run(*device);
  EXPECT_EQ(traced.out, plain.out);
  EXPECT_EQ(traced.keys, plain.keys);
  ASSERT_EQ(trace->stats().size(), 5u);
  for (const OpStats& row : trace->stats()) {
    EXPECT_EQ(row.calls, 4) << row.name;
    EXPECT_GT(row.seconds, 0);
    EXPECT_GT(row.bytes, 0);
  }
  const std::string table = trace->table();
  EXPECT_NE(table.find("attention"), std::string::npos) << table;
  EXPECT_NE(table.find("GB/s"), std::string::npos);
  trace->reset();
  EXPECT_TRUE(trace->stats().empty());
}

TEST(Shadow, FindsNothingInGoodOpsAndLeavesResultsAlone) {
  auto device = cpu();
  auto shadow = make_shadow_device(*device);
  Step shadowed, plain;
  for (int i = 0; i < 4; ++i) {
    shadowed.step.past = plain.step.past = i;
    shadowed.run(*shadow), plain.run(*device);
  }
  EXPECT_EQ(shadow->first().op, "") << shadow->first().nmse;
  EXPECT_EQ(shadow->calls(), 20);
  EXPECT_LT(shadow->worst_nmse(), 1e-6);
  EXPECT_EQ(shadowed.x, plain.x);
  EXPECT_EQ(shadowed.out, plain.out);
  EXPECT_EQ(shadowed.values, plain.values);
}

TEST(Shadow, NamesTheFirstBrokenOp) {
  auto device = cpu();
  const std::pair<OpId, int64_t> expected[] = {
      {OpId::rms_norm, 0}, {OpId::activate, 1}, {OpId::qkv_rope_store, 2}, {OpId::attention, 3}, {OpId::add, 4}};
  for (const auto& [op, call] : expected) {
    BrokenDevice broken(*device, op);
    auto shadow = make_shadow_device(broken);
    Step step;
    shadow->record([&] { step.run(*shadow); })->replay();
    EXPECT_EQ(shadow->first().op, op_info(op).name);
    EXPECT_EQ(shadow->first().call, call);
    EXPECT_GT(shadow->first().nmse, 1e-6);
    EXPECT_NEAR(shadow->first().max_abs, 0.5, 0.01);
  }
}

TEST(Selftest, FindsABrokenOp) {
  auto device = cpu();
  for (const OpId op : {OpId::rms_norm, OpId::attention, OpId::conv2d}) {
    BrokenDevice broken(*device, op);
    int failed = 0, rows = 0;
    for (const SelftestRow& row : selftest(broken, op_info(op).name)) failed += row.ok ? 0 : 1, ++rows;
    EXPECT_EQ(failed, rows) << op_info(op).name;
    EXPECT_GT(rows, 0);
  }
}

// Writes one value behind the result of each op.
class OverrunningDevice : public DeviceDecorator {
 public:
  using DeviceDecorator::DeviceDecorator;
  void execute(const OpCall& call) override {
    inner_.execute(call);
    const Tensor& out = static_cast<const SoftmaxArgs*>(call.args)->out;
    out.as<float>()[out.elements()] = 7;
  }
};

TEST(Selftest, FindsWritesOutsideTheResult) {
  auto device = cpu();
  OverrunningDevice overrunning(*device);
  bool found = false;
  for (const SelftestRow& row : selftest(overrunning, "softmax")) found |= !row.ok && std::isinf(row.nmse);
  EXPECT_TRUE(found);
}

TEST(Compare, LooksOnlyAtWhatChanged) {
  std::vector<float> before(1000, 100), expected = before, actual = before;
  expected[3] = 1, actual[3] = 1.1f;
  const auto bytes = [](std::vector<float>& v) { return reinterpret_cast<std::byte*>(v.data()); };
  const Tensor t(DType::f32, {1000}, actual.data());
  EXPECT_NEAR(compare_changed(t, bytes(expected), bytes(before)).nmse, 0.01, 1e-4);
  actual[3] = std::nanf("");
  EXPECT_TRUE(std::isinf(compare_changed(t, bytes(expected), bytes(before)).nmse));
  actual[3] = 1;
  EXPECT_EQ(compare_changed(t, bytes(expected), bytes(before)).nmse, 0);
  actual[500] = 0;  // changed though it should not be
  EXPECT_GT(compare_changed(t, bytes(expected), bytes(before)).nmse, 0.5);
}

TEST(Half, RoundTripsAndRounds) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const auto half = static_cast<uint16_t>(h);
    if ((half & 0x7c00u) == 0x7c00u && (half & 0x3ffu) != 0) continue;  // NaN
    EXPECT_EQ(float_to_half(half_to_float(half)), half);
  }
  EXPECT_EQ(half_to_float(0x3c00), 1.0f);
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24f);
  EXPECT_EQ(half_to_float(0x7bff), 65504.0f);
  EXPECT_EQ(float_to_half(65519.0f), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_half(1.0f + 0x1p-11f), 0x3c00);         // tie to even
  EXPECT_EQ(float_to_half(1.0f + 3 * 0x1p-11f), 0x3c02);     // tie to even, upwards
  EXPECT_EQ(float_to_half(0x1p-25f), 0x0000);                // tie to even
  EXPECT_EQ(float_to_half(0x1.8p-25f), 0x0001);
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(std::nanf("")))));
  EXPECT_TRUE(std::isinf(half_to_float(float_to_half(-1e9f))));
}

}  // namespace
}  // namespace lava
