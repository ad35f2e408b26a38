#include "kernels/cpu/simd.h"
#include "kernels/lane.h"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

namespace lava::LAVA_ISA {
namespace {

struct Sums {
  float first, second;
};

// Sums of (x - shift) and (x - shift)^2.
Sums sums_around(const float* x, int64_t n, float shift) {
  const FloatVec centre = splat(shift);
  FloatVec first[2] = {hn::Zero(df), hn::Zero(df)}, second[2] = {hn::Zero(df), hn::Zero(df)};
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    for (int k = 0; k < 2; ++k) {
      const FloatVec v = hn::Sub(load(x + i + k * lanes), centre);
      first[k] = hn::Add(first[k], v), second[k] = hn::MulAdd(v, v, second[k]);
    }
  }
  Sums rest{0, 0};
  for (; i < n; ++i) rest.first += x[i] - shift, rest.second += (x[i] - shift) * (x[i] - shift);
  return {rest.first + sum_of(hn::Add(first[0], first[1])), rest.second + sum_of(hn::Add(second[0], second[1]))};
}

}  // namespace

void layer_norm(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const LayerNormArgs*>(args);
  const Rows out(a.out), x(a.x);
  const float *weight = a.weight.as<float>(), *bias = a.bias.as<float>();
  const auto width = static_cast<float>(x.width);
  const auto [begin, end] = lane.share(x.count);
  for (int64_t i = begin; i < end; ++i) {
    // mean = guess + rest: values far from zero keep their digits when the guess goes first, and the variance needs no third pass.
    const float guess = sums_around(x.row(i), x.width, 0).first / width;
    const auto [first, second] = sums_around(x.row(i), x.width, guess);
    const float left = first / width, spread = second / width - left * left, variance = spread < 0 ? 0 : spread;
    const FloatVec centre = splat(guess), rest = splat(left), factor = splat(1.0f / __builtin_sqrtf(variance + a.eps));
    const auto f = [=](FloatVec v, FloatVec w, FloatVec b) HWY_ATTR {
      return hn::MulAdd(hn::Mul(hn::Sub(hn::Sub(v, centre), rest), factor), w, b);
    };
    map(x.width, out.row(i), f, x.row(i), weight, bias);
  }
}

}  // namespace lava::LAVA_ISA
