// Small functions of all kernels: number formats, activations, sums over a warp and over a block.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/activation/activate.h"
#include "kernels/cuda/intrinsics.cuh"

namespace lava::cuda {

constexpr int warp_size = 32;
constexpr unsigned all_lanes = 0xffffffffu;

__device__ inline float half_value(uint16_t bits) { return __half2float(__ushort_as_half(bits)); }
__device__ inline uint16_t half_bits(float value) { return __half_as_ushort(__float2half_rn(value)); }
__device__ inline float bf16_value(uint16_t bits) { return __uint_as_float(static_cast<uint32_t>(bits) << 16); }
// Two values rounded to BF16, side by side, the first in the low half: one instruction.
__device__ inline uint32_t bf16_pair(float first, float second) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(first, second);
  uint32_t bits;
  memcpy(&bits, &pair, sizeof(bits));
  return bits;
}

__device__ inline int byte_of(const std::byte* p, int64_t i) { return static_cast<int>(reinterpret_cast<const uint8_t*>(p)[i]); }
__device__ inline uint32_t word_of(const std::byte* p, int64_t i) { return __ldg(reinterpret_cast<const uint32_t*>(p) + i); }
// A binary16 at any address.
__device__ inline float half_at(const std::byte* p) { return half_value(static_cast<uint16_t>(byte_of(p, 0) | byte_of(p, 1) << 8)); }

__device__ inline int32_t past_of(const Step& step) { return step.device ? step.device->past : step.past; }
__device__ inline int32_t token_of(const Step& step) { return step.device ? step.device->token : step.token; }

__device__ inline float apply(Activation kind, float x) {
  constexpr float half_sqrt2 = 0.70710678118654752440f, sqrt_2_over_pi = 0.79788456080286535588f;
  switch (kind) {
    case Activation::none: return x;
    case Activation::gelu: return 0.5f * x * (1.0f + erff(x * half_sqrt2));
    case Activation::gelu_tanh: return 0.5f * x * (1.0f + tanhf(sqrt_2_over_pi * (x + 0.044715f * x * x * x)));
    case Activation::gelu_quick: return x / (1.0f + expf(-1.702f * x));
    case Activation::silu: return x / (1.0f + expf(-x));
    case Activation::relu: return fmaxf(x, 0.0f);
    case Activation::relu6: return fminf(fmaxf(x, 0.0f), 6.0f);
  }
  return x;
}

__device__ inline float warp_sum(float value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(all_lanes, value, distance);
  return value;
}
__device__ inline float warp_max(float value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2) value = fmaxf(value, __shfl_xor_sync(all_lanes, value, distance));
  return value;
}

// Over a block of whole warps, at most 32; every thread gets the result. `parts`: 32 floats of shared memory.
__device__ inline float block_sum(float value, float* parts) {
  const int warp = static_cast<int>(threadIdx.x) / warp_size, lane = static_cast<int>(threadIdx.x) % warp_size;
  const int warps = static_cast<int>(blockDim.x) / warp_size;
  value = warp_sum(value);
  if (lane == 0) parts[warp] = value;
  __syncthreads();
  value = warp_sum(lane < warps ? parts[lane] : 0.0f);
  __syncthreads();  // parts may be used again
  return value;
}
__device__ inline float block_max(float value, float* parts) {
  const int warp = static_cast<int>(threadIdx.x) / warp_size, lane = static_cast<int>(threadIdx.x) % warp_size;
  const int warps = static_cast<int>(blockDim.x) / warp_size;
  value = warp_max(value);
  if (lane == 0) parts[warp] = value;
  __syncthreads();
  value = warp_max(parts[lane < warps ? lane : 0]);
  __syncthreads();
  return value;
}

// Index of this thread among all of the grid's first dimension.
__device__ inline int64_t global_index() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
// Blocks of `threads` that give every item a thread.
inline dim3 blocks_for(int64_t items, int64_t threads) { return dim3(static_cast<unsigned>((items + threads - 1) / threads)); }

}  // namespace lava::cuda
