// Reading and writing cached keys and values: f32, f16, or blocks of Q8_0 without gaps.
#pragma once
#include "kernels/cuda/device_math.cuh"
#include "kernels/tensor.h"

namespace lava::cuda {

struct Cache {
  std::byte* data;
  int64_t head_stride, position_stride;  // in values
  DType dtype;
  bool fours;  // four neighbouring values may be read at once, from every multiple of four on

  __host__ __device__ int64_t at(int64_t head, int64_t position) const { return head * head_stride + position * position_stride; }
};

inline Cache cache_of(const Tensor& t) {
  const bool whole = t.stride[0] % 4 == 0 && t.stride[1] % 4 == 0 && t.extent[2] % 4 == 0;
  const bool aligned = t.dtype == DType::q8_0 || reinterpret_cast<uintptr_t>(t.data) % (4 * static_cast<uintptr_t>(dtype_info(t.dtype).bytes)) == 0;
  return {t.data, t.stride[0], t.stride[1], t.dtype, whole && aligned};
}

constexpr int q8_block = 32, q8_bytes = 34;

template <DType dtype>
__device__ inline float cache_value(const std::byte* data, int64_t index) {
  if constexpr (dtype == DType::f32) return reinterpret_cast<const float*>(data)[index];
  if constexpr (dtype == DType::f16) return half_value(reinterpret_cast<const uint16_t*>(data)[index]);
  const std::byte* block = data + index / q8_block * q8_bytes;
  return half_at(block) * static_cast<float>(reinterpret_cast<const int8_t*>(block)[2 + index % q8_block]);
}

// Values index .. index + 3, where Cache::fours allows it. Not by __ldg: the kernel of a step writes what it then reads.
template <DType dtype>
__device__ inline float4 cache_four(const std::byte* data, int64_t index) {
  if constexpr (dtype == DType::f32) return reinterpret_cast<const float4*>(data)[index / 4];
  if constexpr (dtype == DType::f16) {
    const uint2 v = reinterpret_cast<const uint2*>(data)[index / 4];
    return {half_value(static_cast<uint16_t>(v.x)), half_value(static_cast<uint16_t>(v.x >> 16)), half_value(static_cast<uint16_t>(v.y)), half_value(static_cast<uint16_t>(v.y >> 16))};
  }
  const std::byte* block = data + index / q8_block * q8_bytes;
  const auto* code = reinterpret_cast<const int8_t*>(block) + 2 + index % q8_block;
  const float scale = half_at(block);
  return {scale * static_cast<float>(code[0]), scale * static_cast<float>(code[1]), scale * static_cast<float>(code[2]), scale * static_cast<float>(code[3])};
}

// Value `index`. For Q8_0 the lanes of a warp hold the values of one block, all of them.
__device__ inline void store_value(const Cache& cache, int64_t index, float value) {
  if (cache.dtype == DType::f32) {
    reinterpret_cast<float*>(cache.data)[index] = value;
  } else if (cache.dtype == DType::f16) {
    reinterpret_cast<uint16_t*>(cache.data)[index] = half_bits(value);
  } else {  // codes cannot tell what is not finite: the scale does
    const float nothing = warp_sum(value * 0.0f), scale = warp_max(fabsf(value)) / 127.0f + nothing;
    const float inverse = scale > 1e-37f ? 1.0f / scale : 0.0f;
    std::byte* block = cache.data + index / q8_block * q8_bytes;
    const uint16_t bits = half_bits(scale);
    if (index % q8_block == 0) block[0] = static_cast<std::byte>(bits & 255), block[1] = static_cast<std::byte>(bits >> 8);
    block[2 + index % q8_block] = static_cast<std::byte>(nothing == 0.0f ? static_cast<int>(roundf(value * inverse)) : 0);
  }
}

}  // namespace lava::cuda
