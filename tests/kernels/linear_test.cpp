// linear and embed_rows: every format, layout, precision, instruction set and lane count against the reference.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/pool.h"
#include "kernels/formats/formats.h"
#include "kernels/linear/pack.h"
#include "kernels/linear/prepared.h"
#include "kernels/ops.h"

namespace lava {
namespace {

constexpr DType all_formats[] = {DType::f32,  DType::f16,  DType::bf16, DType::q4_0, DType::q4_1, DType::q5_0,
                                 DType::q5_1, DType::q8_0, DType::q4_k, DType::q5_k, DType::q6_k};

struct Aligned {
  explicit Aligned(size_t bytes) : memory(bytes + 64) {
    data = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
  }
  std::vector<std::byte> memory;
  std::byte* data;
};

// Pools of 1, 2 and 3 lanes that live as long as the program.
ThreadPool& pool_of(int lanes) {
  static Aligned scratch[3] = {Aligned(Lane::scratch_bytes), Aligned(2 * Lane::scratch_bytes), Aligned(3 * Lane::scratch_bytes)};
  static ThreadPool pools[3] = {ThreadPool(1, false, scratch[0].data), ThreadPool(2, false, scratch[1].data),
                                ThreadPool(3, false, scratch[2].data)};
  return pools[lanes - 1];
}

template <class Args>
void run_kernel(Kernel kernel, const Args& args, int lanes) {
  struct Call {
    Kernel kernel;
    const void* args;
  } call{kernel, &args};
  pool_of(lanes).run([](void* c, const Lane& lane) { static_cast<Call*>(c)->kernel(static_cast<Call*>(c)->args, lane); }, &call);
}

std::vector<float> random_values(size_t count, unsigned seed, float scale = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  return values;
}

// A random matrix, as in a file (at an odd address, as a mapped file may have it) and in both layouts.
struct Weights {
  Weights(DType type, int64_t out, int64_t in, unsigned seed) : format(type), out(out), in(in), file(row_bytes(type, out * in) + 2) {
    file.data += 2;
    const std::vector<float> values = random_values(static_cast<size_t>(out * in), seed, 0.05f);
    quantize_row(format, values.data(), file.data, out * in);
    if (!can_interleave(format)) return;
    packed = std::make_unique<Aligned>(packed_bytes(format, MatrixLayout::interleaved16, out, in));
    pack_matrix(format, MatrixLayout::interleaved16, out, in, file.data, packed->data);
  }
  Matrix matrix(MatrixLayout layout, Precision precision) const {
    return {format,
            layout,
            precision,
            static_cast<int32_t>(out),
            static_cast<int32_t>(in),
            layout == MatrixLayout::rows ? file.data : packed->data};
  }
  // The same values, rounded.
  Weights in_bf16() const {
    Weights rounded(DType::bf16, out, in, 0);
    std::vector<float> values(static_cast<size_t>(out * in));
    dequantize_row(format, file.data, values.data(), out * in);
    quantize_row(DType::bf16, values.data(), rounded.file.data, out * in);
    return rounded;
  }
  DType format;
  int64_t out, in;
  Aligned file;
  std::unique_ptr<Aligned> packed;
};

std::vector<MatrixLayout> layouts(DType format) {
  if (can_interleave(format)) return {MatrixLayout::rows, MatrixLayout::interleaved16};
  return {MatrixLayout::rows};
}

double nmse(const std::vector<float>& got, const std::vector<float>& want) {
  double error = 0, power = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    error += (static_cast<double>(got[i]) - want[i]) * (static_cast<double>(got[i]) - want[i]);
    power += static_cast<double>(want[i]) * want[i];
  }
  return error / (power + 1e-30);
}

// x as the fast kernels see it: 8-bit codes per 32 values times a float32 scale.
std::vector<float> rounded_to_8_bits(std::vector<float> x) {
  for (size_t b = 0; b + 32 <= x.size(); b += 32) {
    float top = 0.0f;
    for (size_t i = b; i < b + 32; ++i) top = std::fmax(top, std::fabs(x[i]));
    const float inverse = top > 0.0f ? 127.0f / top : 0.0f, scale = top / 127.0f;
    for (size_t i = b; i < b + 32; ++i) x[i] = std::nearbyint(x[i] * inverse) * scale;
  }
  return x;
}

std::vector<float> rounded_to_bf16(std::vector<float> x) {
  for (float& value : x) value = bf16_to_float(float_to_bf16(value));
  return x;
}

struct Product {
  std::vector<float> operator()(Kernel kernel, int lanes, const Matrix& w, const std::vector<float>& x, int64_t rows) const {
    std::vector<float> out(static_cast<size_t>(rows * w.out), -77.0f);
    LinearArgs args;
    args.x = Tensor(DType::f32, {rows, w.in}, const_cast<float*>(x.data()));
    args.targets = 1;
    args.target[0] = {w, {}, Tensor(DType::f32, {rows, w.out}, out.data()), Activation::none, false};
    const Aligned scratch(args.scratch_bytes());
    args.scratch = Tensor(DType::u8, {static_cast<int64_t>(args.scratch_bytes())}, scratch.data);
    run_kernel(kernel, args, lanes);
    return out;
  }
} const product;

Kernel kernel_of(const std::string& level, OpId op) { return (*choose_level(level))->kernels[static_cast<int>(op)]; }

std::string describe(const std::string& level, DType format, MatrixLayout layout, Precision precision, int64_t rows, int64_t out,
                     int64_t in, int lanes) {
  return level + " " + std::string(dtype_info(format).name) + (layout == MatrixLayout::rows ? " rows" : " interleaved16") +
         " " + precision_name(precision) + " " + std::to_string(rows) + " x " + std::to_string(out) + " x " +
         std::to_string(in) + " on " + std::to_string(lanes);
}

struct Shape {
  int64_t rows, out;
};

// One shape in every layout, precision, level and lane count.
void check_shape(DType format, Shape shape, int64_t in) {
  const Weights weights(format, shape.out, in, static_cast<unsigned>(in + shape.out));
  const std::vector<float> x = random_values(static_cast<size_t>(shape.rows * in), static_cast<unsigned>(shape.rows)),
                           x8 = rounded_to_8_bits(x);
  const Kernel reference = reference_kernels()[static_cast<int>(OpId::linear)];
  const Matrix plain = weights.matrix(MatrixLayout::rows, Precision::exact);
  const std::vector<float> want = product(reference, 1, plain, x, shape.rows), want8 = product(reference, 1, plain, x8, shape.rows);
  const Weights weights16 = weights.in_bf16();
  const std::vector<float> want16 = product(reference, 1, weights16.matrix(MatrixLayout::rows, Precision::exact), rounded_to_bf16(x), shape.rows);
  if (is_quantized(format) && shape.rows * shape.out > 100) {
    EXPECT_LE(nmse(want8, want), 1e-4) << dtype_info(format).name;
  }
  const double limit = 1e-12 * std::fmax(1.0, static_cast<double>(in) / 2048);  // rounding of a float sum grows with its length
  for (const std::string& level : runnable_levels()) {
    const Kernel kernel = kernel_of(level, OpId::linear);
    for (const MatrixLayout layout : layouts(format)) {
      for (const Precision precision : {Precision::exact, Precision::bf16, Precision::fast}) {
        const Matrix w = weights.matrix(layout, precision);
        const bool integers = level.rfind("avx", 0) == 0 && takes_prepared(w), bf16 = level == "avx512_bf16" && takes_bf16(w, shape.rows);
        for (int lanes = 1; lanes <= 3; ++lanes) {
          const std::vector<float> got = product(kernel, lanes, w, x, shape.rows);
          ASSERT_LE(nmse(got, integers ? want8 : bf16 ? want16 : want), limit)
              << describe(level, format, layout, precision, shape.rows, shape.out, in, lanes);
        }
      }
    }
  }
}

class LinearFormat : public testing::TestWithParam<DType> {};

TEST_P(LinearFormat, MatchesTheReference) {
  const int block = dtype_info(GetParam()).block;
  for (const Shape s :
       {Shape{1, 1}, {1, 15}, {1, 97}, {1, 577}, {2, 16}, {3, 17}, {4, 33}, {7, 96}, {16, 1}, {65, 16}, {65, 17}, {16, 577}, {65, 145}}) {
    check_shape(GetParam(), s, block == 256 ? 256 : 96);
  }
  for (const Shape s : {Shape{1, 130}, {5, 130}}) {
    for (const int64_t in : {256, 1536}) check_shape(GetParam(), s, in);
    if (block <= 32) check_shape(GetParam(), s, 32), check_shape(GetParam(), s, 576);
  }
  if (block == 1) {  // widths that fill no vector
    for (const int64_t in : {1, 2, 5, 17, 75, 588}) check_shape(GetParam(), {1, 19}, in), check_shape(GetParam(), {7, 19}, in);
  }
}

// Wider than one panel of either kernel.
TEST_P(LinearFormat, LongRowsTakeSeveralPanels) {
  check_shape(GetParam(), {5, 70}, 8448);
  check_shape(GetParam(), {1, 20}, 8448);
}

INSTANTIATE_TEST_SUITE_P(All, LinearFormat, testing::ValuesIn(all_formats),
                         [](const auto& info) { return std::string(dtype_info(info.param).name); });

// Three targets of different formats with bias, activation and accumulation, rows of x and out further apart than their width.
TEST(Linear, TargetsShareOneX) {
  constexpr int64_t rows = 9, in = 256, gap = 5;
  const Weights q(DType::q4_1, 48, in, 1), k(DType::f16, 21, in, 2), v(DType::q6_k, 19, in, 3);
  const std::vector<float> x = random_values(rows * (in + gap), 4), bias = random_values(48, 5);
  const std::vector<float> before = random_values(rows * 100, 6);
  const Aligned scratch(prepared_bytes(rows, in));
  const auto run = [&](Kernel kernel, int lanes, Precision precision) {
    std::vector<float> out = before;
    LinearArgs args;
    args.x = Tensor(DType::f32, {rows, in + gap}, const_cast<float*>(x.data())).columns(0, in);
    args.scratch = Tensor(DType::u8, {static_cast<int64_t>(prepared_bytes(rows, in))}, scratch.data);
    args.targets = 3;
    const Tensor wide(DType::f32, {rows, 100}, out.data());
    const Tensor b(DType::f32, {48}, const_cast<float*>(bias.data()));
    args.target[0] = {q.matrix(MatrixLayout::interleaved16, precision), b, wide.columns(0, 48), Activation::gelu, false};
    args.target[1] = {k.matrix(MatrixLayout::rows, precision), b.slice(0, 21), wide.columns(48, 21), Activation::none, true};
    args.target[2] = {v.matrix(MatrixLayout::interleaved16, precision), {}, wide.columns(69, 19), Activation::none, true};
    run_kernel(kernel, args, lanes);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 88; j < 100; ++j) EXPECT_EQ(out[i * 100 + j], before[i * 100 + j]);  // nothing outside the targets
    }
    return out;
  };
  const std::vector<float> want = run(reference_kernels()[static_cast<int>(OpId::linear)], 1, Precision::exact);
  for (const std::string& level : runnable_levels()) {
    for (int lanes = 1; lanes <= 3; ++lanes) {
      EXPECT_LE(nmse(run(kernel_of(level, OpId::linear), lanes, Precision::exact), want), 1e-12) << level << " " << lanes;
      EXPECT_LE(nmse(run(kernel_of(level, OpId::linear), lanes, Precision::fast), want), 1e-4) << level << " " << lanes;
    }
  }
}

TEST(Linear, ActivationsAndBias) {
  constexpr int64_t rows = 3, in = 64, out = 37;
  const Weights weights(DType::f32, out, in, 7);
  const std::vector<float> x = random_values(rows * in, 8, 6.0f), bias = random_values(out, 9);
  for (const Activation kind : {Activation::none, Activation::gelu, Activation::gelu_tanh, Activation::gelu_quick, Activation::silu,
                                Activation::relu, Activation::relu6}) {
    std::vector<std::vector<float>> results;
    for (const std::string& level : runnable_levels()) {
      std::vector<float> y(rows * out);
      LinearArgs args;
      args.x = Tensor(DType::f32, {rows, in}, const_cast<float*>(x.data()));
      args.targets = 1;
      args.target[0] = {weights.matrix(MatrixLayout::rows, Precision::exact), Tensor(DType::f32, {out}, const_cast<float*>(bias.data())),
                        Tensor(DType::f32, {rows, out}, y.data()), kind, false};
      run_kernel(kernel_of(level, OpId::linear), args, 2);
      results.push_back(y);
      EXPECT_LE(nmse(y, results[0]), 1e-12) << level << " activation " << static_cast<int>(kind);
    }
  }
}

// Through the device: planning covers the scratch, and a recording replays with new x.
TEST(Linear, RunsOnTheDeviceAndReplays) {
  constexpr int64_t rows = 6, in = 96, out = 50;
  const Weights weights(DType::q8_0, out, in, 10);
  const Matrix w = weights.matrix(MatrixLayout::interleaved16, Precision::fast);
  std::vector<float> x = random_values(rows * in, 11), y(rows * out);
  const Tensor xt(DType::f32, {rows, in}, x.data()), yt(DType::f32, {rows, out}, y.data());
  const LinearTarget target{w, {}, yt, Activation::none, false};
  Arena plan;
  const auto planner = make_plan_device();
  lava::Run planning{*planner, plan};
  ops::linear(planning, {&target, 1}, xt);
  EXPECT_GE(plan.high_water(), prepared_bytes(rows, in));
  EXPECT_EQ(plan.used(), 0u);
  auto device = make_cpu_device({.threads = 2, .pin = false});
  ASSERT_TRUE(device) << device.error().message();
  const Aligned memory(plan.high_water());
  Arena arena(memory.data, plan.high_water());
  lava::Run run{**device, arena};
  const auto recording = (*device)->record([&] { ops::linear(run, {&target, 1}, xt); });
  for (unsigned seed = 20; seed < 23; ++seed) {
    const std::vector<float> fresh = random_values(rows * in, seed);
    x = fresh;
    recording->replay();
    const std::vector<float> want =
        product(reference_kernels()[0], 1, weights.matrix(MatrixLayout::rows, Precision::exact), rounded_to_8_bits(fresh), rows);
    EXPECT_LE(nmse(y, want), (*device)->info().isa.rfind("avx", 0) == 0 ? 1e-12 : 1e-4);
  }
}

// All codes of weights and activations at their ends: the largest sums that the integer kernels can meet.
TEST(Linear, ExtremeCodesDoNotOverflow) {
  constexpr int64_t out = 33, in = 512;
  for (const DType format : all_formats) {
    if (!is_quantized(format)) continue;
    Weights weights(format, out, in, 15);
    std::vector<float> values(out * in);
    for (int64_t i = 0; i < out * in; ++i) values[i] = (i / in % 2 == 0 ? 1.0f : -1.0f) * (i % 16 == 0 ? -1.0f : 0.96875f);
    quantize_row(format, values.data(), weights.file.data, out * in);
    pack_matrix(format, MatrixLayout::interleaved16, out, in, weights.file.data, weights.packed->data);
    for (const float sign : {1.0f, -1.0f}) {
      const std::vector<float> x(9 * in, sign);
      const std::vector<float> want = product(reference_kernels()[0], 1, weights.matrix(MatrixLayout::rows, Precision::exact), x, 9);
      for (const std::string& level : runnable_levels()) {
        for (const int64_t rows : {1, 2, 9}) {
          const std::vector<float> few(x.begin(), x.begin() + rows * in);
          const auto got = product(kernel_of(level, OpId::linear), 1, weights.matrix(MatrixLayout::interleaved16, Precision::fast), few, rows);
          EXPECT_LE(nmse(got, std::vector<float>(want.begin(), want.begin() + rows * out)), 1e-9) << level << dtype_info(format).name << rows;
        }
      }
    }
  }
}

TEST(Linear, ZerosStayZeroAndNothingIsNan) {
  for (const DType format : all_formats) {
    const Weights weights(format, 20, 256, 12);
    const std::vector<float> x(2 * 256, 0.0f);
    for (const std::string& level : runnable_levels()) {
      for (const MatrixLayout layout : layouts(format)) {
        for (const float v : product(kernel_of(level, OpId::linear), 1, weights.matrix(layout, Precision::fast), x, 2))
          EXPECT_EQ(v, 0.0f) << level;
      }
    }
  }
}

TEST(Pack, LosesNothing) {
  for (const DType format : all_formats) {
    if (!is_quantized(format)) continue;
    constexpr int64_t out = 19, in = 512;
    Weights weights(format, out, in, 13);
    std::vector<float> from_file(in), from_packed(in);
    for (int64_t r = 0; r < out; ++r) {
      widen_row(weights.matrix(MatrixLayout::rows, Precision::exact), r, from_file.data());
      widen_row(weights.matrix(MatrixLayout::interleaved16, Precision::exact), r, from_packed.data());
      ASSERT_EQ(std::memcmp(from_file.data(), from_packed.data(), in * sizeof(float)), 0) << dtype_info(format).name << " row " << r;
    }
  }
}

TEST(EmbedRows, MatchesTheTable) {
  for (const DType format : all_formats) {
    const Weights weights(format, 40, 256, 14);
    std::vector<int32_t> ids = {0, 39, 17, 17, 3};
    std::vector<float> want(256), out(ids.size() * 256);
    for (const std::string& level : runnable_levels()) {
      for (const MatrixLayout layout : layouts(format)) {
        const Matrix table = weights.matrix(layout, Precision::exact);
        const EmbedRowsArgs args{Tensor(DType::f32, {5, 256}, out.data()), table, Tensor(DType::i32, {5}, ids.data()), nullptr};
        run_kernel(kernel_of(level, OpId::embed_rows), args, 2);
        StepParams step;
        step.token = 21;
        std::vector<float> one(256);
        run_kernel(kernel_of(level, OpId::embed_rows), EmbedRowsArgs{Tensor(DType::f32, {1, 256}, one.data()), table, {}, &step}, 3);
        for (size_t i = 0; i < ids.size(); ++i) {
          dequantize_row(format, weights.file.data + row_bytes(format, 256 * ids[i]), want.data(), 256);
          EXPECT_EQ(std::memcmp(want.data(), out.data() + 256 * i, 1024), 0) << level << dtype_info(format).name;
        }
        dequantize_row(format, weights.file.data + row_bytes(format, 256 * 21), want.data(), 256);
        EXPECT_EQ(std::memcmp(want.data(), one.data(), 1024), 0) << level << dtype_info(format).name;
      }
    }
  }
}

}  // namespace
}  // namespace lava
