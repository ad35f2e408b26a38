#include "kernels/cpu/simd.h"
#include "kernels/lane.h"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

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

}  // namespace

void rms_norm(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const RmsNormArgs*>(args);
  const Rows out(a.out), x(a.x);
  const float* weight = a.weight.as<float>();
  const auto [begin, end] = lane.share(x.count);
  for (int64_t i = begin; i < end; ++i) {
    const float mean = sum_of_squares(x.row(i), x.width) / static_cast<float>(x.width);
    const FloatVec factor = splat(1.0f / __builtin_sqrtf(mean + a.eps));
    map(x.width, out.row(i), [=](FloatVec v, FloatVec w) HWY_ATTR { return hn::Mul(hn::Mul(v, factor), w); }, x.row(i), weight);
  }
}

}  // namespace lava::LAVA_ISA
