#include "kernels/cpu/simd.h"
#include "kernels/lane.h"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

namespace lava::LAVA_ISA {
namespace {

// Sum of (x - shift)^power, power 1 or 2.
template <int power>
float sum_of_powers(const float* x, int64_t n, float shift) {
  const FloatVec centre = splat(shift);
  FloatVec sum[4] = {hn::Zero(df), hn::Zero(df), hn::Zero(df), hn::Zero(df)};
  const auto accumulate = [&](FloatVec& s, FloatVec v) HWY_ATTR { s = power == 1 ? hn::Add(s, v) : hn::MulAdd(v, v, s); };
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    for (int k = 0; k < 4; ++k) accumulate(sum[k], hn::Sub(load(x + i + k * lanes), centre));
  }
  for (; i + lanes <= n; i += lanes) accumulate(sum[0], hn::Sub(load(x + i), centre));
  float rest = 0;
  for (; i < n; ++i) rest += power == 1 ? x[i] - shift : (x[i] - shift) * (x[i] - shift);
  return rest + sum_of(hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3])));
}

}  // namespace

void layer_norm(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const LayerNormArgs*>(args);
  const Rows out(a.out), x(a.x);
  const float *weight = a.weight.as<float>(), *bias = a.bias.as<float>();
  const auto width = static_cast<float>(x.width);
  const auto [begin, end] = lane.share(x.count);
  for (int64_t i = begin; i < end; ++i) {
    // Second pass around the first estimate: rows with a large mean keep their digits.
    const float guess = sum_of_powers<1>(x.row(i), x.width, 0) / width;
    const float mean = guess + sum_of_powers<1>(x.row(i), x.width, guess) / width;
    const float variance = sum_of_powers<2>(x.row(i), x.width, mean) / width;
    const FloatVec centre = splat(mean), factor = splat(1.0f / __builtin_sqrtf(variance + a.eps));
    const auto f = [=](FloatVec v, FloatVec w, FloatVec b) HWY_ATTR { return hn::MulAdd(hn::Mul(hn::Sub(v, centre), factor), w, b); };
    map(x.width, out.row(i), f, x.row(i), weight, bias);
  }
}

}  // namespace lava::LAVA_ISA
