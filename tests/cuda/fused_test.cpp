// What a decoder's step costs in launches; attention on tensor cores where the self-test has no case.
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

double nmse_of(const std::vector<float>& got, const std::vector<float>& expected) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) difference += std::pow(got[i] - expected[i], 2.0), size += std::pow(expected[i], 2.0);
  return difference / size;
}

// One layer as engine/layers/decoder gives it, under `fast`; v and down have weights of their own format, as in files of mixed ones.
struct LayerFormats {
  DType most, v_and_down;
};
void give_layer(selftest_detail::Builder& b, const LayerFormats& formats, int64_t context) {
  constexpr int64_t width = 256, heads = 4, kv_heads = 2, d = 64, feed_forward = 512;
  const auto target = [&](DType format, int64_t in, const Tensor& out, bool accumulate = false) {
    LinearTarget t;
    t.weight = b.matrix(format, is_quantized(format) ? MatrixLayout::interleaved16 : MatrixLayout::rows, Precision::fast, out.extent[1], in);
    t.out = out, t.accumulate = accumulate;
    return t;
  };
  const Tensor x = b.random({1, width}), q = b.random({1, heads * d}), k = b.random({1, kv_heads * d}), v = b.random({1, kv_heads * d}), mix = b.random({1, heads * d});
  const Tensor gate = b.random({1, feed_forward}), up = b.random({1, feed_forward});
  const RmsNorm norm{b.random({width}), 1e-5f};
  const CacheTensors cache = b.cache(DType::f16, kv_heads, context, d);
  ops::linear(b.run, std::array{target(formats.most, width, q), target(formats.most, width, k), target(formats.v_and_down, width, v)}, x, norm);
  ops::rope_attention(b.run, mix.reshape({1, heads, d}), q.reshape({1, heads, d}), k.reshape({1, kv_heads, d}), v.reshape({1, kv_heads, d}), b.random({context, d}),
                      RopeStyle::half, cache.keys, cache.values, 0.2f);
  ops::linear(b.run, std::array{target(formats.most, heads * d, x, true)}, mix);
  ops::linear_glu(b.run, target(formats.most, width, gate), target(formats.most, width, up), x, norm);
  ops::linear(b.run, std::array{target(formats.v_and_down, feed_forward, x, true)}, gate);
}

TEST(DecodeStep, LaunchesOfALayer) {
  const auto device = open();
  auto memory = device->allocate(size_t{16} << 20);
  ASSERT_TRUE(memory);
  const auto launches = [&](const LayerFormats& formats, int64_t context) {
    Arena arena((*memory)->data(), (*memory)->size());
    auto* step = new (arena.allocate(sizeof(StepParams))) StepParams;
    step->limit = static_cast<int32_t>(context);
    lava::Run run{*device, arena, step};
    selftest_detail::Builder builder(run, 3);
    const auto recording = device->record([&] { give_layer(builder, formats, context); });
    recording->replay();
    EXPECT_TRUE(device->finish());
    return emulator::graph_nodes();
  };
  for (const int64_t context : {64, 1024}) {  // the keys in one part, and in several
    EXPECT_EQ(launches({DType::q4_0, DType::q4_0}, context), 5);
    EXPECT_EQ(launches({DType::bf16, DType::bf16}, context), 5);
    EXPECT_EQ(launches({DType::q4_k, DType::q6_k}, context), 6);  // v is a launch of its own
  }
}

// The same product on the reference and on the device, of a row normed on the way.
std::vector<float> normed_product(Device& device, DType format, int64_t in, float third_value) {
  auto memory = std::move(*device.allocate(size_t{8} << 20));
  Arena arena(memory->data(), memory->size());
  lava::Run run{device, arena};
  selftest_detail::Builder b(run, 9);
  const Tensor x = b.random({1, in}), out = b.random({1, 24});
  x.f32()[3] = third_value;
  LinearTarget t;
  t.weight = b.matrix(format, is_quantized(format) ? MatrixLayout::interleaved16 : MatrixLayout::rows, Precision::fast, 24, in);
  t.out = out;
  ops::linear(run, std::array{t}, x, RmsNorm{b.random({in}), 1e-5f});
  EXPECT_TRUE(device.finish());
  return {out.f32(), out.f32() + out.elements()};
}

// What a block has no shared memory for is normed, and made codes of, by launches of their own. The limit is the self-test's for 8-bit activations.
TEST(DecodeStep, WideRowsEqualTheReference) {
  const auto device = open();
  const auto reference = std::move(*make_cpu_device({.threads = 1, .isa = "reference", .pin = false}));
  for (const auto& [format, in] : {std::pair{DType::q4_0, 27648}, {DType::q4_0, 27904}, {DType::q6_k, 28672}, {DType::bf16, 11264}, {DType::bf16, 11272}, {DType::f32, 12000}}) {
    const auto expected = normed_product(*reference, format, in, 0.5f), got = normed_product(*device, format, in, 0.5f);
    EXPECT_LT(nmse_of(got, expected), 1e-4) << dtype_info(format).name << ' ' << in;
  }
}

TEST(DecodeStep, WhatIsNotFiniteStaysSo) {
  const auto device = open();
  for (const DType format : {DType::q4_0, DType::bf16})
    for (const float bad : {NAN, INFINITY}) {
      for (const float value : normed_product(*device, format, 256, bad)) EXPECT_FALSE(std::isfinite(value)) << dtype_info(format).name << ' ' << bad;
    }
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
  return nmse_of(results[1], results[0]);
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
