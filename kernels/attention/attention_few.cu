// Few queries: the keys are split into parts over blocks (flash decoding), and the last block of a row's head to be done merges them. A block takes one
// query row and up to eight query heads that share a key head, so that a key is read once for all of them.
#include "kernels/attention/attention_cuda.cuh"
#include "kernels/cuda/plan.h"

namespace lava::cuda {
namespace {

constexpr int threads = 128, warps = threads / warp_size;
constexpr int lanes_per_key = 8, keys_at_once = threads / lanes_per_key;
constexpr int tile = attention_tile;

// A part's result for one head: d unnormalised sums, the highest score, the sum of weights.
__host__ __device__ constexpr int64_t part_floats(int d) { return d + 2; }

struct Parts {
  int64_t ahead;      // bytes of keys, and as many of values, that a block asks for before it waits
  float* data;        // [rows, heads, count, part_floats]; null when count is 1
  unsigned* tickets;  // [blockIdx.x]
  int count;

  __device__ float* of(const Attention& a, int64_t row, int head) const { return data + (row * a.heads + head) * count * part_floats(a.d); }
};

template <int heads>
struct Block {
  float *q, *sum;                       // [heads, d]
  float (*score)[tile];                 // [heads, tile]
  float *highest, *total, *rescale;     // [heads]
};

template <int heads>
__device__ Block<heads> carve(float* memory, int d) {
  float* score = memory + 2 * heads * d;
  float* state = score + heads * tile;
  return {memory, memory + heads * d, reinterpret_cast<float(*)[tile]>(score), state, state + heads, state + 2 * heads};
}

// This lane's share of q k for each head: every eighth run of four values, or every eighth value.
template <DType dtype, int heads>
__device__ void multiply_key(const Attention& a, const float* q, int64_t at, int lane, float (&sum)[heads]) {
  if (a.k.fours) {
    for (int i = 4 * lane; i < a.d; i += 4 * lanes_per_key) {
      const float4 key = cache_four<dtype>(a.k.data, at + i);
#pragma unroll
      for (int h = 0; h < heads; ++h) {
        const float4 query = *reinterpret_cast<const float4*>(q + h * a.d + i);
        sum[h] += key.x * query.x + key.y * query.y + key.z * query.z + key.w * query.w;
      }
    }
    return;
  }
  for (int i = lane; i < a.d; i += lanes_per_key) {
    const float key = cache_value<dtype>(a.k.data, at + i);
#pragma unroll
    for (int h = 0; h < heads; ++h) sum[h] += key * q[h * a.d + i];
  }
}

// Scores of keys first .. first + tile, -infinity from `end` on: eight lanes per key.
template <DType dtype, int heads>
__device__ void score_keys(const Attention& a, const Block<heads>& b, int64_t kv_head, int64_t first, int64_t end) {
  const int sub = static_cast<int>(threadIdx.x) / lanes_per_key, lane = static_cast<int>(threadIdx.x) % lanes_per_key;
  for (int t = sub; t < tile; t += keys_at_once) {
    const bool inside = first + t < end;
    const int64_t at = a.k.at(kv_head, inside ? first + t : end - 1);  // any that exists
    float sum[heads] = {};
    multiply_key<dtype, heads>(a, b.q, at, lane, sum);
#pragma unroll
    for (int h = 0; h < heads; ++h) {
      for (int distance = lanes_per_key / 2; distance > 0; distance /= 2) sum[h] += __shfl_xor_sync(all_lanes, sum[h], distance);
      if (lane == 0) b.score[h][t] = inside ? sum[h] * a.scale : -INFINITY;
    }
  }
}

// Scores become weights; a warp per head.
template <int heads>
__device__ void soften(const Block<heads>& b) {
  const int warp = static_cast<int>(threadIdx.x) / warp_size, lane = static_cast<int>(threadIdx.x) % warp_size;
  for (int h = warp; h < heads; h += warps) {
    const float before = b.highest[h];
    float top = -INFINITY, sum = 0;
    for (int t = lane; t < tile; t += warp_size) top = fmaxf(top, b.score[h][t]);
    top = fmaxf(before, warp_max(top));
    for (int t = lane; t < tile; t += warp_size) {
      const float weight = expf(b.score[h][t] - top);
      b.score[h][t] = weight, sum += weight;
    }
    sum = warp_sum(sum);  // and all lanes have read `before`
    if (lane == 0) {
      const float factor = expf(before - top);
      b.rescale[h] = factor, b.total[h] = b.total[h] * factor + sum, b.highest[h] = top;
    }
  }
}

// Values weighted; a thread owns every `threads`-th value of d for all heads.
template <DType dtype, int heads>
__device__ void add_values(const Attention& a, const Block<heads>& b, int64_t kv_head, int64_t first, int64_t end) {
  const auto count = static_cast<int>(end - first < tile ? end - first : tile);
  for (int i = static_cast<int>(threadIdx.x); i < a.d; i += threads) {
    float sum[heads];
#pragma unroll
    for (int h = 0; h < heads; ++h) sum[h] = b.sum[h * a.d + i] * b.rescale[h];
#pragma unroll 4
    for (int t = 0; t < count; ++t) {
      const float value = cache_value<dtype>(a.v.data, a.v.at(kv_head, first + t) + i);
#pragma unroll
      for (int h = 0; h < heads; ++h) sum[h] += b.score[h][t] * value;
    }
#pragma unroll
    for (int h = 0; h < heads; ++h) b.sum[h * a.d + i] = sum[h];
  }
}

// Query heads first_head .. + count of a row, rotated in a step; zeros behind them.
template <int heads, bool step>
__device__ void load_queries(const Attention& a, const Rope& rope, const Block<heads>& b, int64_t row, int first_head, int count, int64_t position) {
  for (int i = static_cast<int>(threadIdx.x); i < heads * a.d; i += threads) {
    const int h = i / a.d;
    const float* q = a.q + row * a.q_row + (first_head + h) * a.q_head;
    if constexpr (step) b.q[i] = h < count ? rotated(rope, q, rope.cos_sin + position * rope.rotary, i % a.d) : 0.0f;
    else b.q[i] = h < count ? q[i % a.d] : 0.0f;
    b.sum[i] = 0.0f;
  }
}

// Whether the block is the last of those that share its ticket to come here; then it sees what the others wrote before.
__device__ inline bool is_last(unsigned* ticket, int blocks) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    last = atomicAdd(ticket, 1u) + 1 == static_cast<unsigned>(blocks);
    if (last) *ticket = 0;  // for the next kernel
  }
  __syncthreads();
  __threadfence();
  return last;
}

// Parts without keys have a highest score of -infinity and weigh nothing; the first part always has some.
__device__ inline void merge_parts(const Attention& a, const float* first, int count, float* out) {
  const int64_t stride = part_floats(a.d);
  float highest = -INFINITY, total = 0;
  for (int p = 0; p < count; ++p) highest = fmaxf(highest, first[p * stride + a.d]);
  for (int p = 0; p < count; ++p) total += expf(first[p * stride + a.d] - highest) * first[p * stride + a.d + 1];
  for (int i = static_cast<int>(threadIdx.x); i < a.d; i += threads) {
    float sum = 0;
    for (int p = 0; p < count; ++p) sum += expf(first[p * stride + a.d] - highest) * first[p * stride + i];
    out[i] = sum / total;
  }
}

// The sums of a block's `count` heads: the result, or a part of it.
template <int heads>
__device__ void finish_heads(const Attention& a, const Block<heads>& b, const Parts& parts, int64_t row, int first_head, int count) {
  const auto thread = static_cast<int>(threadIdx.x);
  float* out = a.out + row * a.out_row + first_head * a.out_head;
  if (parts.count == 1) {
    for (int h = 0; h < count; ++h)
      for (int i = thread; i < a.d; i += threads) out[h * a.out_head + i] = b.sum[h * a.d + i] / b.total[h];
    return;
  }
  for (int h = 0; h < count; ++h) {
    float* part = parts.of(a, row, first_head + h) + blockIdx.y * part_floats(a.d);
    for (int i = thread; i < a.d; i += threads) part[i] = b.sum[h * a.d + i];
    if (thread == 0) part[a.d] = b.highest[h], part[a.d + 1] = b.total[h];
  }
  if (!is_last(parts.tickets + blockIdx.x, parts.count)) return;
  for (int h = 0; h < count; ++h) merge_parts(a, parts.of(a, row, first_head + h), parts.count, out + h * a.out_head);
}

// Asks for keys or values begin, begin + 1 .. of a head, where they lie side by side.
__device__ inline void fetch_cached(const Cache& cache, int d, int64_t head, int64_t begin, int64_t end, int64_t most) {
  if (cache.position_stride != d || begin >= end) return;
  const auto bytes_of = [&](int64_t values) { return cache.dtype == DType::f32 ? 4 * values : cache.dtype == DType::f16 ? 2 * values : values / q8_block * q8_bytes; };
  const int64_t bytes = bytes_of((end - begin) * d);
  fetch_ahead(cache.data + bytes_of(cache.at(head, begin)), most < bytes ? most : bytes);
}

// blockIdx.x: (row, key head, chunk of its query heads); blockIdx.y: part of the keys. step: the row's own key and value are stored by every block
// that then reads them, so that no block waits for another; chunks of one key head write the same bytes.
template <DType dtype, int heads, bool step>
__global__ __launch_bounds__(threads) void attention_part_kernel(Attention a, Rope rope, Parts parts) {
  const int group = a.heads / a.kv_heads, chunks = (group + heads - 1) / heads, thread = static_cast<int>(threadIdx.x);
  const int chunk = static_cast<int>(blockIdx.x) % chunks, kv_head = static_cast<int>(blockIdx.x) / chunks % a.kv_heads;
  const int64_t row = blockIdx.x / static_cast<unsigned>(chunks * a.kv_heads);
  const int first_head = kv_head * group + chunk * heads, count = group - chunk * heads < heads ? group - chunk * heads : heads;
  const int64_t seen = a.seen(row), tiles = (seen + tile - 1) / tile, each = (tiles + parts.count - 1) / parts.count * tile;
  const int64_t begin = each * blockIdx.y, end = begin + each < seen ? begin + each : seen;
  fetch_cached(a.k, a.d, kv_head, begin, end, parts.ahead), fetch_cached(a.v, a.d, kv_head, begin, end, parts.ahead);
  wait_for_previous();
  let_next_start();

  const Block<heads> b = carve<heads>(dynamic_shared(), a.d);
  load_queries<heads, step>(a, rope, b, row, first_head, count, seen - 1);
  if (step && begin < seen && end == seen) {
    store_head(rope, true, row, seen - 1, kv_head);
    store_head(rope, false, row, seen - 1, kv_head);
  }
  if (thread < heads) b.highest[thread] = -INFINITY, b.total[thread] = 0.0f;
  __syncthreads();
  for (int64_t first = begin; first < end; first += tile) {
    score_keys<dtype, heads>(a, b, kv_head, first, end);
    __syncthreads();
    soften<heads>(b);
    __syncthreads();
    add_values<dtype, heads>(a, b, kv_head, first, end);
    __syncthreads();
  }
  finish_heads<heads>(a, b, parts, row, first_head, count);
}

template <DType dtype, int heads, bool step>
void launch_parts(const Attention& a, const Rope& rope, int64_t most_keys, Stream& stream) {
  const int64_t blocks = int64_t{a.rows} * a.kv_heads * ceil_div(a.heads / a.kv_heads, heads);
  const size_t part_bytes = sizeof(float) * static_cast<size_t>(int64_t{a.rows} * a.heads * part_floats(a.d));
  const int count = attention_parts(blocks, most_keys, stream.processors(), part_bytes, stream.workspace_bytes());
  const Parts parts{bytes_ahead(stream.l2_bytes(), blocks * count) / 2, count > 1 ? reinterpret_cast<float*>(stream.workspace()) : nullptr, stream.tickets(), count};
  const size_t shared = sizeof(float) * static_cast<size_t>(heads * (2 * a.d + tile + 3));
  launch_early(stream, attention_part_kernel<dtype, heads, step>, dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(count)), threads, shared, a, rope, parts);
}

template <bool step>
void launch_group(const Attention& a, const Rope& rope, int64_t most_keys, Stream& stream) {
  const int group = a.heads / a.kv_heads;
  with_cache_type(a.k.dtype, [&]<DType dtype>() {
    if (group == 1) return launch_parts<dtype, 1, step>(a, rope, most_keys, stream);
    if (group <= 4) return launch_parts<dtype, 4, step>(a, rope, most_keys, stream);
    launch_parts<dtype, 8, step>(a, rope, most_keys, stream);
  });
}

}  // namespace

void attend_few(const Attention& a, int64_t most_keys, Stream& stream) { launch_group<false>(a, {}, most_keys, stream); }
void attend_step(const Attention& a, const Rope& rope, int64_t most_keys, Stream& stream) { launch_group<true>(a, rope, most_keys, stream); }

}  // namespace lava::cuda
