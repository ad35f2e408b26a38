// Rows of x as 8-bit codes (kernels/linear/prepared.h): what the kernels that make them share.
#pragma once
#include "kernels/linear/linear_cuda.cuh"

namespace lava::cuda {

// A row as a norm reads it: x * factor * gain, where there is a gain.
struct NormedRow {
  const float *x, *gain;  // gain null: x itself
  float factor;
  bool fours;  // four values may be read at once

  __device__ float4 four(int64_t k) const {
    float4 v = fours ? *reinterpret_cast<const float4*>(x + k) : float4{x[k], x[k + 1], x[k + 2], x[k + 3]};
    if (!gain) return v;
    v.x *= factor * gain[k], v.y *= factor * gain[k + 1], v.z *= factor * gain[k + 2], v.w *= factor * gain[k + 3];
    return v;
  }
};

// 1 / sqrt(mean(x^2) + eps), for all threads of the block. `parts`: 32 floats of shared memory.
__device__ inline float norm_factor(const float* x, int64_t in, bool fours, float eps, float* parts) {
  const int64_t whole = fours ? in / 4 : 0;
  float sum = 0;
  for (int64_t j = threadIdx.x; j < whole; j += blockDim.x) {
    const float4 v = reinterpret_cast<const float4*>(x)[j];
    sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
  }
  for (int64_t j = 4 * whole + threadIdx.x; j < in; j += blockDim.x) sum += x[j] * x[j];
  return 1.0f / sqrtf(block_sum(sum, parts) / static_cast<float>(in) + eps);
}

// Eight neighbouring lanes hold a block of 32 values, four each, lane j those from 4 j on; they become codes, a scale and sums. All lanes of the warp
// come here; those of `outside` write nothing. A value that is not finite makes the scale so and all codes zero.
__device__ inline void store_codes(std::byte* to, const PreparedRow& at, int64_t block, const float4& v, bool outside) {
  const int j = static_cast<int>(threadIdx.x) % 8;
  const auto size_bits = [](float value) { return __float_as_uint(value) & 0x7fffffffu; };  // orders as the values do, with infinity and then NaN on top
  const auto larger = [](uint32_t a, uint32_t b) { return a > b ? a : b; };
  uint32_t top_bits = larger(larger(size_bits(v.x), size_bits(v.y)), larger(size_bits(v.z), size_bits(v.w)));
  for (int distance = 1; distance < 8; distance *= 2) top_bits = larger(top_bits, __shfl_xor_sync(all_lanes, top_bits, distance));
  const bool finite = top_bits < 0x7f800000u;
  const float top = __uint_as_float(top_bits), scale = finite ? top / 127.0f : NAN, inverse = finite && top > 0.0f ? 127.0f / top : 0.0f;
  const auto code = [&](float value, int byte) { return finite ? (static_cast<uint32_t>(static_cast<int>(rintf(value * inverse))) & 255u) << (8 * byte) : 0u; };
  const uint32_t codes = code(v.x, 0) | code(v.y, 1) | code(v.z, 2) | code(v.w, 3);
  int half = __dp4a(static_cast<int>(codes), 0x01010101, 0);
  half += __shfl_xor_sync(all_lanes, half, 1), half += __shfl_xor_sync(all_lanes, half, 2);
  const int sum = half + __shfl_xor_sync(all_lanes, half, 4);
  if (outside) return;
  reinterpret_cast<uint32_t*>(to)[8 * block + j] = codes;
  if (j % 4 == 0) reinterpret_cast<int32_t*>(to + at.minus_half_at)[2 * block + j / 4] = -half;
  if (j > 0) return;
  reinterpret_cast<float*>(to + at.scale_at)[block] = scale;
  reinterpret_cast<float*>(to + at.sum_at)[block] = scale * static_cast<float>(sum);
  reinterpret_cast<int32_t*>(to + at.minus_sum_at)[block] = -sum;
}

// The blocks first, first + step .. of a row, eight lanes each: the warps that come here have whole turns.
__device__ inline void store_row(std::byte* to, const PreparedRow& at, const NormedRow& row, int64_t blocks, int64_t first, int64_t step) {
  const int64_t lane_block = first + static_cast<int64_t>(threadIdx.x) % warp_size / 8;
  const int64_t value = 4 * (static_cast<int64_t>(threadIdx.x) % 8);
#pragma unroll 4
  for (int64_t turn = first, block = lane_block; turn < blocks; turn += step, block += step) {
    const bool outside = block >= blocks;
    store_codes(to, at, block, row.four(32 * (outside ? blocks - 1 : block) + value), outside);
  }
}

}  // namespace lava::cuda
