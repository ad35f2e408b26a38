// Many queries on tensor cores: flash attention in tiles of 64 queries of one head by 64 keys; a warp takes 16 queries, and scores never leave its
// registers. Sums and softmax are float32. F16 caches lose nothing: their values are multiplied as they are, and queries and weights are each taken
// as two F16 values, the rounded one and what rounding left (22 bits). Other caches, where precision allows it, meet queries and weights in BF16.
#include "kernels/attention/attention_cuda.cuh"

namespace lava::cuda {
namespace {

constexpr int threads = 128, tile = 64, warp_queries = 16;  // tile: queries of a block, and keys at a time
constexpr int v_stride = tile / 2 + 4;                       // of a column of values, in pairs of keys: eight columns fall into different banks
constexpr float weight_scale = 2048;                         // of weights in F16: what rounding leaves of small ones is still above the smallest value

template <bool split>
__device__ inline uint32_t pair(float first, float second) {
  return split ? half_bits(first) | static_cast<uint32_t>(half_bits(second)) << 16 : bf16_pair(first, second);
}
// What pair<true>(first, second) left.
__device__ inline uint32_t rest(float first, float second) { return pair<true>(first - half_value(half_bits(first)), second - half_value(half_bits(second))); }

template <bool split>
__device__ inline void multiply(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  if constexpr (split) mma_f16(c, a, b);
  else mma_bf16(c, a, b);
}

// Four values of a cache's row; zeros beyond the row, and from position `end` on.
template <DType dtype>
__device__ inline float4 four_values(const Cache& cache, int64_t head, int64_t position, int64_t end, int column, int d) {
  float4 v{0, 0, 0, 0};
  if (position >= end || column >= d) return v;
  const int64_t at = cache.at(head, position) + column;
  if (cache.fours) return cache_four<dtype>(cache.data, at);
  v.x = cache_value<dtype>(cache.data, at);
  if (column + 1 < d) v.y = cache_value<dtype>(cache.data, at + 1);
  if (column + 2 < d) v.z = cache_value<dtype>(cache.data, at + 2);
  if (column + 3 < d) v.w = cache_value<dtype>(cache.data, at + 3);
  return v;
}

// [tile, width] pairs of neighbouring values.
template <DType dtype, int width, bool split>
__device__ void load_keys(uint32_t* target, const Attention& a, int64_t head, int64_t first, int64_t end) {
  constexpr int fours = width / 4, stride = width / 2 + 4;
  for (int i = static_cast<int>(threadIdx.x); i < tile * fours; i += threads) {
    const int row = i / fours, column = 4 * (i % fours);
    const float4 v = four_values<dtype>(a.k, head, first + row, end, column, a.d);
    uint32_t* to = target + row * stride + column / 2;
    to[0] = pair<split>(v.x, v.y), to[1] = pair<split>(v.z, v.w);
  }
}

// [width, tile] pairs of neighbouring keys.
template <DType dtype, int width, bool split>
__device__ void load_values(uint32_t* target, const Attention& a, int64_t head, int64_t first, int64_t end) {
  constexpr int fours = width / 4;
  for (int i = static_cast<int>(threadIdx.x); i < tile / 2 * fours; i += threads) {
    const int keys = i / fours, column = 4 * (i % fours);
    const float4 v = four_values<dtype>(a.v, head, first + 2 * keys, end, column, a.d), w = four_values<dtype>(a.v, head, first + 2 * keys + 1, end, column, a.d);
    uint32_t* to = target + column * v_stride + keys;
    to[0] = pair<split>(v.x, w.x), to[v_stride] = pair<split>(v.y, w.y), to[2 * v_stride] = pair<split>(v.z, w.z), to[3 * v_stride] = pair<split>(v.w, w.w);
  }
}

// Over the four lanes that hold a row of a fragment.
__device__ inline float row_max(float value) {
  value = fmaxf(value, __shfl_xor_sync(all_lanes, value, 1));
  return fmaxf(value, __shfl_xor_sync(all_lanes, value, 2));
}
__device__ inline float row_sum(float value) {
  value += __shfl_xor_sync(all_lanes, value, 1);
  return value + __shfl_xor_sync(all_lanes, value, 2);
}

// A warp's queries as left operands; `low`: what rounding left. Lane 4 g + t holds rows g and g + 8, pairs t and t + 4 of each 16 values.
template <int width, bool split>
struct Queries {
  uint32_t high[width / 16][4], low[split ? width / 16 : 1][4];
  float scale[2];  // scores of the rows are multiplied by it

  __device__ float value(const Attention& a, int64_t row, int head, int column) const {
    return row < a.rows && column < a.d ? a.q[row * a.q_row + head * a.q_head + column] : 0.0f;
  }
  __device__ void load(const Attention& a, int64_t first_row, int head) {
    const int lane = static_cast<int>(threadIdx.x) % warp_size, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int64_t row = first_row + g + 8 * r;
      float factor = 1;
      if constexpr (split) {  // to below 1024, by a power of two: F16 has a small range
        float top = 0;
        for (int i = 2 * t; i < width; i += 8) top = fmaxf(top, fmaxf(fabsf(value(a, row, head, i)), fabsf(value(a, row, head, i + 1))));
        const int exponent = static_cast<int>(__float_as_uint(row_max(top)) >> 23) - 127;
        const int shift = exponent == 128 ? 0 : 9 - exponent > 120 ? 120 : 9 - exponent;  // not finite: so are the scores
        factor = __uint_as_float(static_cast<uint32_t>(shift + 127) << 23);
      }
      scale[r] = a.scale / factor;
#pragma unroll
      for (int k = 0; k < width / 16; ++k)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const int column = 16 * k + 8 * half + 2 * t;
          const float first = value(a, row, head, column) * factor, second = value(a, row, head, column + 1) * factor;
          high[k][r + 2 * half] = pair<split>(first, second);
          if constexpr (split) low[k][r + 2 * half] = rest(first, second);
        }
    }
  }
};

// Scores of 16 queries and a tile of keys as weights, and what the softmax has gathered so far, per row g and g + 8 of the lane.
struct Weights {
  float score[tile / 8][4];  // rows g (0, 1) and g + 8 (2, 3); keys 8 j + 2 t and the next
  float highest[2], total[2], rescale[2];

  template <int width, bool split>
  __device__ void multiply_keys(const Queries<width, split>& q, const uint32_t* keys) {
    constexpr int stride = width / 2 + 4;
    const int lane = static_cast<int>(threadIdx.x) % warp_size, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int j = 0; j < tile / 8; ++j) {
      float sum[4] = {};
#pragma unroll
      for (int k = 0; k < width / 16; ++k) {
        const uint32_t* from = keys + (8 * j + g) * stride + 8 * k + t;
        const uint32_t b[2] = {from[0], from[4]};
        if constexpr (split) multiply<split>(sum, q.low[k], b);
        multiply<split>(sum, q.high[k], b);
      }
#pragma unroll
      for (int c = 0; c < 4; ++c) score[j][c] = sum[c] * q.scale[c / 2];
    }
  }
  // `seen`: keys that the rows see, counted from the tile's first.
  __device__ void soften(const int64_t (&seen)[2]) {
    const int t = static_cast<int>(threadIdx.x) % 4;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float top = highest[r], sum = 0;
#pragma unroll
      for (int j = 0; j < tile / 8; ++j)
#pragma unroll
        for (int c = 2 * r; c < 2 * r + 2; ++c) {
          if (8 * j + 2 * t + c % 2 >= seen[r]) score[j][c] = -INFINITY;
          top = fmaxf(top, score[j][c]);
        }
      top = row_max(top);  // finite from the first tile on: key 0 is visible to all
#pragma unroll
      for (int j = 0; j < tile / 8; ++j)
#pragma unroll
        for (int c = 2 * r; c < 2 * r + 2; ++c) score[j][c] = expf(score[j][c] - top), sum += score[j][c];
      rescale[r] = expf(highest[r] - top);
      total[r] = total[r] * rescale[r] + row_sum(sum), highest[r] = top;
    }
  }
};

// out = out * rescale + weights * values. A tile's sum is begun anew and added in float32: long sums on tensor cores are cut, not rounded.
template <int width, bool split>
__device__ void add_values(float (&out)[width / 8][4], const Weights& w, const uint32_t* values) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size, g = lane / 4, t = lane % 4;
  uint32_t high[tile / 16][4], low[split ? tile / 16 : 1][4];
#pragma unroll
  for (int k = 0; k < tile / 16; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float factor = split ? weight_scale : 1, first = w.score[2 * k + i / 2][i % 2 * 2] * factor, second = w.score[2 * k + i / 2][i % 2 * 2 + 1] * factor;
      high[k][i] = pair<split>(first, second);
      if constexpr (split) low[k][i] = rest(first, second);
    }
#pragma unroll
  for (int n = 0; n < width / 8; ++n) {
    float sum[4] = {};
#pragma unroll
    for (int k = 0; k < tile / 16; ++k) {
      const uint32_t* from = values + (8 * n + g) * v_stride + 8 * k + t;
      const uint32_t b[2] = {from[0], from[4]};
      if constexpr (split) multiply<split>(sum, low[k], b);
      multiply<split>(sum, high[k], b);
    }
#pragma unroll
    for (int c = 0; c < 4; ++c) out[n][c] = out[n][c] * w.rescale[c / 2] + sum[c];
  }
}

template <int width, bool split>
__device__ void store(const Attention& a, int64_t first_row, int head, const float (&out)[width / 8][4], const float (&total)[2]) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size, g = lane / 4, t = lane % 4;
#pragma unroll
  for (int n = 0; n < width / 8; ++n)
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      const int64_t row = first_row + g + c / 2 * 8;
      const int column = 8 * n + 2 * t + c % 2;
      if (row < a.rows && column < a.d) a.out[row * a.out_row + head * a.out_head + column] = out[n][c] / (total[c / 2] * (split ? weight_scale : 1.0f));
    }
}

// blockIdx.x: tile of queries; blockIdx.y: head. width >= d, a multiple of 16; split: see the head of this file.
template <DType dtype, int width, bool split>
__global__ __launch_bounds__(threads) void attention_mma_kernel(Attention a) {
  __shared__ __align__(16) uint32_t keys[tile * (width / 2 + 4)];
  __shared__ __align__(16) uint32_t values[width * v_stride];
  const int head = static_cast<int>(blockIdx.y), kv_head = head / (a.heads / a.kv_heads), warp = static_cast<int>(threadIdx.x) / warp_size;
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * tile, last_row = first_row + tile < a.rows ? first_row + tile : a.rows, end = a.seen(last_row - 1);
  const int64_t own_row = first_row + warp * warp_queries, row = own_row + static_cast<int>(threadIdx.x) % warp_size / 4;
  Queries<width, split> q;
  q.load(a, own_row, head);
  Weights w{};
  w.highest[0] = w.highest[1] = -INFINITY;
  float out[width / 8][4] = {};
  for (int64_t first = 0; first < end; first += tile) {
    load_keys<dtype, width, split>(keys, a, kv_head, first, end);
    load_values<dtype, width, split>(values, a, kv_head, first, end);
    __syncthreads();
    w.multiply_keys(q, keys);
    w.soften({a.seen(row) - first, a.seen(row + 8) - first});
    add_values<width, split>(out, w, values);
    __syncthreads();
  }
  store<width, split>(a, own_row, head, out, w.total);
}

template <DType dtype, bool split>
void launch_width(const Attention& a, Stream& stream) {
  const dim3 grid(static_cast<unsigned>((a.rows + tile - 1) / tile), static_cast<unsigned>(a.heads));
  if (a.d <= 64) return launch(stream, attention_mma_kernel<dtype, 64, split>, grid, threads, 0, a);
  if (a.d <= 80) return launch(stream, attention_mma_kernel<dtype, 80, split>, grid, threads, 0, a);
  launch(stream, attention_mma_kernel<dtype, 128, split>, grid, threads, 0, a);
}

}  // namespace

void attend_mma(const Attention& a, Stream& stream) {
  if (a.k.dtype == DType::f16) return launch_width<DType::f16, true>(a, stream);
  if (a.k.dtype == DType::f32) return launch_width<DType::f32, false>(a, stream);
  launch_width<DType::q8_0, false>(a, stream);
}

}  // namespace lava::cuda
