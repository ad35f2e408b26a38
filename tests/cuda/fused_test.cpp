// What a decoder's step costs in launches, and attention on tensor cores where the self-test has no case.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "kernels/compare.h"
#include "kernels/cuda/cuda_device.h"
#include "kernels/cuda/plan.h"
#include "kernels/ops.h"
#include "kernels/selftest/cases.h"

namespace lava {
namespace {

std::unique_ptr<Device> open() {
  auto device = cuda::make_cuda_device(0);
  EXPECT_TRUE(device) << device.error().message();
  return std::move(*device);
}

// One layer as engine/layers/decoder gives it, of Q4_0 weights under `fast`.
void give_layer(selftest_detail::Builder& b, int64_t context) {
  constexpr int64_t width = 128, heads = 4, kv_heads = 2, d = 32, feed_forward = 192;
  const auto target = [&](int64_t in, const Tensor& out, bool accumulate = false) {
    LinearTarget t;
    t.weight = b.matrix(DType::q4_0, MatrixLayout::interleaved16, Precision::fast, out.extent[1], in);
    t.out = out, t.accumulate = accumulate;
    return t;
  };
  const Tensor x = b.random({1, width}), q = b.random({1, heads * d}), k = b.random({1, kv_heads * d}), v = b.random({1, kv_heads * d}), mix = b.random({1, heads * d});
  const Tensor gate = b.random({1, feed_forward}), up = b.random({1, feed_forward});
  const RmsNorm norm{b.random({width}), 1e-5f};
  const CacheTensors cache = b.cache(DType::f16, kv_heads, context, d);
  ops::linear(b.run, std::array{target(width, q), target(width, k), target(width, v)}, x, norm);
  ops::rope_attention(b.run, mix.reshape({1, heads, d}), q.reshape({1, heads, d}), k.reshape({1, kv_heads, d}), v.reshape({1, kv_heads, d}), b.random({context, d}),
                      RopeStyle::half, cache.keys, cache.values, 0.2f);
  ops::linear(b.run, std::array{target(heads * d, x, true)}, mix);
  ops::linear_glu(b.run, target(width, gate), target(width, up), x, norm);
  ops::linear(b.run, std::array{target(feed_forward, x, true)}, gate);
}

TEST(DecodeStep, LaunchesOfALayer) {
  const auto device = open();
  auto memory = device->allocate(size_t{8} << 20);
  ASSERT_TRUE(memory);
  const auto launches = [&](int64_t context) {
    Arena arena((*memory)->data(), (*memory)->size());
    auto* step = new (arena.allocate(sizeof(StepParams))) StepParams;
    step->limit = static_cast<int32_t>(context);
    lava::Run run{*device, arena, step};
    selftest_detail::Builder builder(run, 3);
    const auto recording = device->record([&] { give_layer(builder, context); });
    recording->replay();
    EXPECT_TRUE(device->finish());
    return emulator::graph_nodes();
  };
  EXPECT_EQ(launches(64), 9);     // codes and product, four times, and attention in one part
  EXPECT_EQ(launches(1024), 10);  // its parts are merged
}

struct Shape {
  DType cache;
  Precision precision;
  int64_t rows, past, heads, kv_heads, d;
  float size;  // of queries
};

double attention_error(Device& device, const Shape& s) {
  static const auto reference = std::move(*make_cpu_device({.threads = 1, .isa = "reference", .pin = false}));
  std::vector<float> results[2];
  for (Device* one : {reference.get(), &device}) {
    auto memory = std::move(*one->allocate(size_t{4} << 20));
    Arena arena(memory->data(), memory->size());
    auto* step = new (arena.allocate(sizeof(StepParams))) StepParams;
    step->past = static_cast<int32_t>(s.past);
    lava::Run run{*one, arena, step};
    selftest_detail::Builder b(run, 5);
    const int64_t context = s.past + s.rows;
    const Tensor q = b.random({s.rows, s.heads, s.d}, s.size), out = b.random({s.rows, s.heads, s.d});
    const auto [k, v] = b.cache(s.cache, s.kv_heads, context, s.d);
    ops::attention(run, out, q, k, v, 3 / (s.size * std::sqrt(static_cast<float>(s.d))), true, s.precision);
    EXPECT_TRUE(one->finish());
    results[one == &device].assign(out.f32(), out.f32() + out.elements());
  }
  double difference = 0, size = 0;
  for (size_t i = 0; i < results[0].size(); ++i) difference += std::pow(results[1][i] - results[0][i], 2.0), size += std::pow(results[0][i], 2.0);
  return difference / size;
}

TEST(AttentionOnTensorCores, RoundsWhereItMay) {
  const auto device = open();
  for (const DType cache : {DType::f32, DType::q8_0})
    for (const int64_t d : {32, 64, 96, 128}) EXPECT_LT(attention_error(*device, {cache, Precision::bf16, 70, 9, 4, 2, d, 3}), 5e-5) << dtype_info(cache).name << ' ' << d;
}

// Queries that F16 does not hold, large and small: they are scaled by a power of two and lose nothing.
TEST(AttentionOnTensorCores, LosesNothingOverF16Caches) {
  const auto device = open();
  for (const float size : {1e-20f, 3.0f, 1e9f})
    for (const int64_t d : {20, 72, 128}) EXPECT_LT(attention_error(*device, {DType::f16, Precision::exact, 67, 70, 3, 1, d, size}), 8e-12) << size << ' ' << d;
}

TEST(AttentionOnTensorCores, AreChosenByCacheWidthAndPrecision) {
  EXPECT_TRUE(cuda::takes_mma(DType::f16, 128, Precision::exact));
  EXPECT_FALSE(cuda::takes_mma(DType::f16, 129, Precision::bf16));
  EXPECT_FALSE(cuda::takes_mma(DType::f32, 64, Precision::exact));
  EXPECT_FALSE(cuda::takes_mma(DType::q8_0, 64, Precision::exact));
  EXPECT_TRUE(cuda::takes_mma(DType::q8_0, 64, Precision::fast));
}

}  // namespace
}  // namespace lava
