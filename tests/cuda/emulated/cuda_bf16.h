// Stands for the toolkit's header (see cuda_runtime.h here).
#pragma once
#include "kernels/formats/formats.h"

struct __nv_bfloat16 {
  uint16_t bits;
};
inline uint16_t __bfloat16_as_ushort(__nv_bfloat16 value) { return value.bits; }
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return {lava::float_to_bf16(value)}; }
