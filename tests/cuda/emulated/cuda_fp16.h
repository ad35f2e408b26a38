// Stands for the toolkit's header (see cuda_runtime.h here).
#pragma once
#include "kernels/half.h"

struct __half {
  uint16_t bits;
};
inline __half __ushort_as_half(uint16_t bits) { return {bits}; }
inline uint16_t __half_as_ushort(__half value) { return value.bits; }
inline float __half2float(__half value) { return lava::half_to_float(value.bits); }
inline __half __float2half_rn(float value) { return {lava::float_to_half(value)}; }
