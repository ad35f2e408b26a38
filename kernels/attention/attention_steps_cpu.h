// Steps of the online softmax: keys come in blocks of 64, each row keeps its maximum m, its sum l and its unnormalised output o.
// Included only by *_cpu.cpp files of this folder.
#pragma once
#include "kernels/attention/attention_cpu.h"
#include "kernels/attention/elements_cpu.h"
#include "kernels/cpu/simd_math.h"

namespace lava::LAVA_ISA {
namespace {

constexpr int wide = vector_registers == 32 ? 4 : 2;  // vectors beside each other

// Masks scores from `limit` on, turns them into weights, updates m and l; returns what the old output must be multiplied with.
HWY_INLINE float softmax_step(float* s, int64_t limit, float& m, float* l) {
  if (limit < block) {
    const auto index = hn::Iota(df, 0);
    for (int64_t j = limit / lanes * lanes; j < block; j += lanes) {
      const auto hidden = hn::Ge(hn::Add(index, splat(static_cast<float>(j))), splat(static_cast<float>(limit)));
      store(hn::IfThenElse(hidden, splat(lowest_score), load(s + j)), s + j);
    }
  }
  FloatVec highest = load(s);
  for (int64_t j = lanes; j < block; j += lanes) highest = hn::Max(highest, load(s + j));
  const float new_m = max_of(hn::Max(highest, splat(m)));
  const float correction = new_m == m ? 1.0f : hn::GetLane(exp2_negative(splat(m - new_m)));
  m = new_m;
  FloatVec sum = hn::Mul(load(l), splat(correction));
  for (int64_t j = 0; j < block; j += lanes) {
    const FloatVec weight = exp2_negative(hn::Sub(load(s + j), splat(new_m)));
    store(weight, s + j);
    sum = hn::Add(sum, weight);
  }
  store(sum, l);
  return correction;
}

void write_out(float* out, const float* o, float l, int64_t d) {
  const FloatVec factor = splat(1.0f / l);
  map(d, out, [=](FloatVec x) HWY_ATTR { return hn::Mul(x, factor); }, o);
}

}  // namespace
}  // namespace lava::LAVA_ISA
