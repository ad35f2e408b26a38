// RMS norm of one row. Included only by *_cpu.cpp files.
#pragma once
#include "kernels/cpu/simd.h"

namespace lava::LAVA_ISA {
namespace {

float sum_of_squares(const float* x, int64_t n) {
  FloatVec sum[4] = {hn::Zero(df), hn::Zero(df), hn::Zero(df), hn::Zero(df)};
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    for (int k = 0; k < 4; ++k) {
      const FloatVec v = load(x + i + k * lanes);
      sum[k] = hn::MulAdd(v, v, sum[k]);
    }
  }
  for (; i < n; i += lanes) {
    const FloatVec v = i + lanes <= n ? load(x + i) : load_part(x + i, n - i);
    sum[0] = hn::MulAdd(v, v, sum[0]);
  }
  return sum_of(hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3])));
}

// out = x / sqrt(mean(x^2) + eps) * gain; out may be x.
void rms_row(float* out, const float* x, const float* gain, int64_t n, float eps) {
  const float mean = sum_of_squares(x, n) / static_cast<float>(n);
  const FloatVec factor = splat(1.0f / __builtin_sqrtf(mean + eps));
  map(n, out, [=](FloatVec v, FloatVec w) HWY_ATTR { return hn::Mul(hn::Mul(v, factor), w); }, x, gain);
}

}  // namespace
}  // namespace lava::LAVA_ISA
