// Rounding to 8 bits, as the kernels do it.
#pragma once
#include "kernels/cpu/simd.h"

namespace lava::LAVA_ISA {
namespace {

// One block of 32: codes to `code`; returns the scale.
HWY_INLINE float encode_block(const float* x, int8_t* code) {
  constexpr int parts = 32 / lanes;
  const hn::Rebind<int8_t, FloatTag> d8;
  FloatVec value[parts];
  FloatVec largest = hn::Zero(df);
  for (int64_t i = 0; i < parts; ++i) {
    value[i] = load(x + i * lanes);
    largest = hn::Max(largest, hn::Abs(value[i]));
  }
  const float top = max_of(largest);
  const FloatVec inverse = splat(top > 0.0f ? 127.0f / top : 0.0f);
  for (int64_t i = 0; i < parts; ++i) hn::StoreU(hn::DemoteTo(d8, hn::NearestInt(hn::Mul(value[i], inverse))), d8, code + i * lanes);
  return top / 127.0f;
}

}  // namespace
}  // namespace lava::LAVA_ISA
