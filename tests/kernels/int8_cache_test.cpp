// Keys and values in 8 bits: what the rounding costs, and that nothing hides in it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "kernels/cpu/isa.h"
#include "kernels/ops.h"
#include "kernels/rope/rope_attention.h"

namespace lava {
namespace {

constexpr int64_t rows = 150, heads = 4, kv_heads = 2, d = 64;

// Rows that pass through a cache of one type, and what a few queries find in it.
struct Passed {
  std::vector<float> q, k, v, table, out;
  std::vector<std::byte> keys, values;
  std::byte before{};  // what fills the cache before

  Passed() {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    const auto fill = [&](std::vector<float>& x, int64_t n) {
      x.resize(static_cast<size_t>(n));
      for (float& value : x) value = normal(random);
    };
    fill(q, rows * heads * d), fill(k, rows * kv_heads * d), fill(v, rows * kv_heads * d);
    for (int64_t position = 0; position < rows; ++position) {
      for (const bool sine : {false, true})
        for (int64_t i = 0; i < d / 2; ++i) {
          const double angle = static_cast<double>(position) * std::pow(1e4, -2.0 * static_cast<double>(i) / d);
          table.push_back(static_cast<float>(sine ? std::sin(angle) : std::cos(angle)));
        }
    }
  }

  // The last `count` rows ask.
  void run(Device& device, DType type, int64_t count) {
    const int64_t positions = whole_units(rows);
    const auto bytes = row_bytes(type, kv_heads * positions * d);
    keys.assign(bytes, before), values.assign(bytes, before), out.assign(static_cast<size_t>(rows * heads * d), 0);
    Arena arena;
    StepParams step;
    Run run{device, arena, &step};
    const Tensor queries(DType::f32, {rows, heads, d}, q.data()), results(DType::f32, {rows, heads, d}, out.data());
    const CacheTypes types = cache_types(type, device.info().interleaves_cache);
    const Tensor key_cache(types.keys, {kv_heads, positions, d}, keys.data()), value_cache(types.values, {kv_heads, positions, d}, values.data());
    ops::qkv_rope_store(run, queries, Tensor(DType::f32, {rows, kv_heads, d}, k.data()), Tensor(DType::f32, {rows, kv_heads, d}, v.data()),
                        Tensor(DType::f32, {rows, d}, table.data()), RopeStyle::half, key_cache, value_cache);
    step.past = static_cast<int32_t>(rows - count);
    ops::attention(run, results.slice(rows - count, count), queries.slice(rows - count, count), key_cache, value_cache, 0.125f, true);
  }
};

double nmse(const std::vector<float>& actual, const std::vector<float>& expected) {
  double error = 0, power = 0;
  for (size_t i = 0; i < actual.size(); ++i) error += std::pow(actual[i] - expected[i], 2), power += std::pow(expected[i], 2);
  return error / power;
}

class Int8Cache : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    CpuOptions options;
    options.isa = GetParam(), options.threads = 2;
    auto made = make_cpu_device(options);
    ASSERT_TRUE(made) << made.error().message();
    device_ = std::move(*made);
  }
  std::unique_ptr<Device> device_;
};

// The largest of 32 normal values is 2.1 deviations on average: a step is 1/60 of one, its square over 12 is 2.3e-5 of the power. Values pass
// that on; keys move the scores, and thereby the weights, about as much.
TEST_P(Int8Cache, CostsTheRoundingTo8Bits) {
  for (const int64_t count : {int64_t{1}, int64_t{40}}) {
    Passed exact, coded;
    exact.run(*device_, DType::f32, count), coded.run(*device_, DType::q8_0, count);
    const double lost = nmse(coded.out, exact.out);
    EXPECT_GT(lost, 1e-5) << count;  // it is 8 bits
    EXPECT_LT(lost, 1e-4) << count;
  }
}

// The last unit of 16 positions is used in part; what an earlier conversation left in the rest must not be seen.
TEST_P(Int8Cache, WhatLiesBehindTheContextDoesNotMatter) {
  for (const DType type : {DType::f16, DType::q8_0}) {
    for (const int64_t count : {int64_t{1}, int64_t{40}}) {
      Passed clean, stale;
      stale.before = std::byte{0xff};  // not a number, in every format
      clean.run(*device_, type, count), stale.run(*device_, type, count);
      EXPECT_EQ(std::memcmp(clean.out.data(), stale.out.data(), clean.out.size() * sizeof(float)), 0) << count;
    }
  }
}

// One key has nearly all the weight, the others share the rest: rounding weights to 16 bits must not lose them.
TEST_P(Int8Cache, ManySmallWeightsAreKept) {
  constexpr int64_t positions = 4096, spike = 100;
  const CacheTypes types = cache_types(DType::q8_0, device_->info().interleaves_cache);
  std::vector<std::byte> keys(row_bytes(DType::q8_0, positions * d)), values(keys.size());
  const Tensor k(types.keys, {1, positions, d}, keys.data()), v(types.values, {1, positions, d}, values.data());
  std::vector<float> row(d, 0.0f), q(d, 0.0f), out(d);
  q[0] = 9;  // weights of exp(-9), 1 / 8103: together 0.51 of the spike's
  for (int64_t p = 0; p < positions; ++p) {
    std::fill(row.begin(), row.end(), p == spike ? -1.0f : 1.0f);
    cache_store(v, 0, p, row.data());
    std::fill(row.begin(), row.end(), 0.0f);
    row[0] = p == spike ? 1.0f : 0.0f;
    cache_store(k, 0, p, row.data());
  }
  Arena arena;
  StepParams step;
  step.past = positions - 1;
  lava::Run run{*device_, arena, &step};
  ops::attention(run, Tensor(DType::f32, {1, 1, d}, out.data()), Tensor(DType::f32, {1, 1, d}, q.data()), k, v, 1, true);
  const double rest = (positions - 1) * std::exp(-9.0), expected = (rest - 1) / (rest + 1);
  for (const float x : out) EXPECT_NEAR(x, expected, 5e-4);
}

// The widest head that one op takes together with its rotation.
TEST_P(Int8Cache, TheWidestHeadFits) {
  constexpr int64_t wide = RopeAttentionArgs::most_group_values, positions = cache_unit;
  for (const DType type : {DType::f16, DType::q8_0}) {
    const CacheTypes types = cache_types(type, device_->info().interleaves_cache);
    std::vector<std::byte> keys(row_bytes(type, positions * wide)), values(keys.size());
    std::vector<float> q(wide, 0.01f), kv(wide, 2.0f), table(positions * 2, 1.0f), out(wide);
    const Tensor row(DType::f32, {1, 1, wide}, kv.data());
    StepParams step;
    Arena arena;
    lava::Run run{*device_, arena, &step};
    ops::rope_attention(run, Tensor(DType::f32, {1, 1, wide}, out.data()), Tensor(DType::f32, {1, 1, wide}, q.data()), row, row, Tensor(DType::f32, {positions, 2}, table.data()),
                        RopeStyle::half, Tensor(types.keys, {1, positions, wide}, keys.data()), Tensor(types.values, {1, positions, wide}, values.data()), 1);
    for (const float x : {out.front(), out[wide / 2], out.back()}) EXPECT_NEAR(x, 2.0f, 1e-2f);
  }
}

// A key that is not finite has no weight, in any format of the cache; a value must not turn into a number on the way.
TEST_P(Int8Cache, ValuesThatAreNotFiniteComeOutAgain) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    Passed passed;
    passed.v[static_cast<size_t>(140 * kv_heads * d + 5)] = bad;  // first key head
    passed.run(*device_, DType::q8_0, 1);
    EXPECT_TRUE(std::isnan(passed.out[static_cast<size_t>((rows - 1) * heads * d + 5)])) << bad;
    EXPECT_TRUE(std::isfinite(passed.out.back()));
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, Int8Cache, testing::ValuesIn(runnable_levels()), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lava
