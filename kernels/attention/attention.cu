// Many queries: flash attention in float32. A block takes 32 queries of one head and walks over tiles of 32 keys.
#include "kernels/attention/attention_cuda.cuh"
#include "kernels/cuda/plan.h"

namespace lava::cuda {
namespace {

constexpr int queries = 32, tile = 32, threads = 128;
constexpr int queries_each = 4, dim_step = 16;  // of the sums: a thread owns 4 queries and every 16th value of d

__host__ __device__ constexpr int padded(int d) { return d + 1; }  // rows of a tile fall into different banks

// Rows first .. of a cache's head into `target` [tile, padded(d)]; zeros from `end` on.
template <DType dtype>
__device__ void load_tile(float* target, const Cache& cache, int64_t head, int64_t first, int64_t end, int d) {
  if (cache.fours) {
    const int fours = d / 4;
    for (int i = static_cast<int>(threadIdx.x); i < tile * fours; i += threads) {
      const int row = i / fours, column = 4 * (i % fours);
      const float4 v = first + row < end ? cache_four<dtype>(cache.data, cache.at(head, first + row) + column) : float4{0, 0, 0, 0};
      float* to = target + row * padded(d) + column;
      to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
    }
    return;
  }
  for (int i = static_cast<int>(threadIdx.x); i < tile * d; i += threads) {
    const int row = i / d, column = i % d;
    target[row * padded(d) + column] = first + row < end ? cache_value<dtype>(cache.data, cache.at(head, first + row) + column) : 0.0f;
  }
}

// score[query][key] of a tile: a thread computes 2 x 4.
__device__ void score_tile(float* score, const float* q, const float* k, const Attention& a, int64_t first_row, int64_t first_key) {
  const int pair = static_cast<int>(threadIdx.x) / 8, column = static_cast<int>(threadIdx.x) % 8, d = a.d;
  float sum[2][4] = {};
  for (int i = 0; i < d; ++i) {
    float key[4];
    for (int c = 0; c < 4; ++c) key[c] = k[(column + 8 * c) * padded(d) + i];
    for (int r = 0; r < 2; ++r) {
      const float query = q[(2 * pair + r) * padded(d) + i];
      for (int c = 0; c < 4; ++c) sum[r][c] += query * key[c];
    }
  }
  for (int r = 0; r < 2; ++r) {
    const int64_t seen = a.seen(first_row + 2 * pair + r);
    for (int c = 0; c < 4; ++c) {
      const bool visible = first_key + column + 8 * c < seen;
      score[(2 * pair + r) * padded(tile) + column + 8 * c] = visible ? sum[r][c] * a.scale : -INFINITY;
    }
  }
}

// Scores become weights; four threads per query. `highest`, `total`: the query's so far; `rescale`: what earlier sums are worth now.
__device__ void soften_tile(float* score, float* highest, float* total, float* rescale) {
  const int query = static_cast<int>(threadIdx.x) / 4, part = static_cast<int>(threadIdx.x) % 4;
  float* row = score + query * padded(tile);
  float top = highest[query], sum = 0;
  for (int c = part; c < tile; c += 4) top = fmaxf(top, row[c]);
  top = fmaxf(top, __shfl_xor_sync(all_lanes, top, 1));
  top = fmaxf(top, __shfl_xor_sync(all_lanes, top, 2));
  for (int c = part; c < tile; c += 4) {
    row[c] = expf(row[c] - top);  // key 0 is visible to all: top is finite from the first tile on
    sum += row[c];
  }
  sum += __shfl_xor_sync(all_lanes, sum, 1);
  sum += __shfl_xor_sync(all_lanes, sum, 2);
  const float factor = expf(highest[query] - top), old = total[query];
  __syncwarp();  // the four threads have read before one writes
  if (part == 0) rescale[query] = factor, total[query] = old * factor + sum, highest[query] = top;
}

template <DType dtype, int dims>  // dims * dim_step >= d
__global__ __launch_bounds__(threads) void attention_kernel(Attention a) {
  float* q = dynamic_shared();  // [queries, padded(d)]
  float* kv = q + queries * padded(a.d);
  float* score = kv + tile * padded(a.d);
  float *highest = score + queries * padded(tile), *total = highest + queries, *rescale = total + queries;
  const int head = static_cast<int>(blockIdx.y), kv_head = head / (a.heads / a.kv_heads), thread = static_cast<int>(threadIdx.x);
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * queries;
  const int64_t last_row = first_row + queries < a.rows ? first_row + queries : a.rows, end = a.seen(last_row - 1);

  for (int i = thread; i < queries * a.d; i += threads) {
    const int row = i / a.d, column = i % a.d;
    q[row * padded(a.d) + column] = first_row + row < a.rows ? a.q[(first_row + row) * a.q_row + head * a.q_head + column] : 0.0f;
  }
  if (thread < queries) highest[thread] = -INFINITY, total[thread] = 0.0f;
  const int group = thread / dim_step * queries_each, dim = thread % dim_step;
  float sum[queries_each][dims] = {};

  for (int64_t first = 0; first < end; first += tile) {
    load_tile<dtype>(kv, a.k, kv_head, first, end, a.d);
    __syncthreads();
    score_tile(score, q, kv, a, first_row, first);
    __syncthreads();
    soften_tile(score, highest, total, rescale);
    load_tile<dtype>(kv, a.v, kv_head, first, end, a.d);
    __syncthreads();
    for (int r = 0; r < queries_each; ++r)
      for (int c = 0; c < dims; ++c) sum[r][c] *= rescale[group + r];
    for (int key = 0; key < tile; ++key) {
      float weight[queries_each];
      for (int r = 0; r < queries_each; ++r) weight[r] = score[(group + r) * padded(tile) + key];
#pragma unroll
      for (int c = 0; c < dims; ++c) {
        const int column = dim + dim_step * c;
        const float value = column < a.d ? kv[key * padded(a.d) + column] : 0.0f;
        for (int r = 0; r < queries_each; ++r) sum[r][c] += weight[r] * value;
      }
    }
    __syncthreads();
  }

  for (int r = 0; r < queries_each; ++r) {
    const int64_t row = first_row + group + r;
    if (row >= a.rows) continue;
    float* out = a.out + row * a.out_row + head * a.out_head;
#pragma unroll
    for (int c = 0; c < dims; ++c) {
      const int column = dim + dim_step * c;
      if (column < a.d) out[column] = sum[r][c] / total[group + r];
    }
  }
}

template <DType dtype>
void launch_tiled(const Attention& a, Stream& stream) {
  const dim3 grid(static_cast<unsigned>((a.rows + queries - 1) / queries), static_cast<unsigned>(a.heads));
  const size_t shared = sizeof(float) * static_cast<size_t>((queries + tile) * padded(a.d) + queries * padded(tile) + 3 * queries);
  if (a.d <= 64) return launch(stream, attention_kernel<dtype, 4>, grid, threads, shared, a);
  if (a.d <= 128) return launch(stream, attention_kernel<dtype, 8>, grid, threads, shared, a);
  launch(stream, attention_kernel<dtype, 16>, grid, threads, shared, a);
}

}  // namespace

void attend_many(const Attention& a, Stream& stream) {
  with_cache_type(a.k.dtype, [&]<DType dtype>() { launch_tiled<dtype>(a, stream); });
}

void attention(const void* args, Stream& stream) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  constexpr int most_split_rows = 4;
  const int64_t rows = a.q.extent[0], context = a.k.extent[1];
  if (rows == 0) return;
  const int64_t past = a.causal ? stream.most_past(a.step, context) : 0;
  LAVA_CHECK(!a.causal || stream.recording() || past + rows <= context);
  const Attention plain = attention_of(a, stream);
  if (rows > most_split_rows && takes_mma(a.k.dtype, plain.d, a.precision)) return attend_mma(plain, stream);
  if (rows > most_split_rows && plain.d <= most_tiled_d) return attend_many(plain, stream);
  attend_few(plain, a.causal && past + rows < context ? past + rows : context, stream);
}

}  // namespace lava::cuda
