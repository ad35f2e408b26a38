#include "kernels/cpu/simd_math.h"
#include "kernels/lane.h"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

namespace lava::LAVA_ISA {
namespace {

float highest_of(const float* x, int64_t n) {
  float highest = x[0];
  int64_t i = 0;
  if (n >= lanes) {
    FloatVec v = load(x);
    for (i = lanes; i + lanes <= n; i += lanes) v = hn::Max(v, load(x + i));
    highest = max_of(v);
  }
  for (; i < n; ++i) highest = x[i] > highest ? x[i] : highest;
  return highest;
}

// out = e^(x - highest); returns the sum.
float exp_and_sum(float* out, const float* x, int64_t n, float highest) {
  const FloatVec top = splat(highest);
  FloatVec sum = hn::Zero(df);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const FloatVec e = exp(hn::Sub(load(x + i), top));
    store(e, out + i);
    sum = hn::Add(sum, e);
  }
  float rest = 0;
  if (i < n) {
    store_part(exp(hn::Sub(load_part(x + i, n - i), top)), out + i, n - i);
    for (; i < n; ++i) rest += out[i];
  }
  return rest + sum_of(sum);
}

}  // namespace

void softmax(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const SoftmaxArgs*>(args);
  const Rows out(a.out), x(a.x);
  const auto [begin, end] = lane.share(x.count);
  for (int64_t i = begin; i < end; ++i) {
    const float sum = exp_and_sum(out.row(i), x.row(i), x.width, highest_of(x.row(i), x.width));
    const FloatVec factor = splat(1.0f / sum);
    map(x.width, out.row(i), [=](FloatVec v) HWY_ATTR { return hn::Mul(v, factor); }, out.row(i));
  }
}

}  // namespace lava::LAVA_ISA
