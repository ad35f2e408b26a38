// What the CUDA kernels of rotation share.
#pragma once
#include "kernels/cuda/cache.cuh"
#include "kernels/rope/qkv_rope_store.h"

namespace lava::cuda {

struct HeadRows {
  float* data;
  int64_t row_stride, head_stride;
  int heads;
};

struct Rope {
  HeadRows q, k, v;
  Cache k_cache, v_cache;
  const float* cos_sin;  // [context, rotary]
  int rotary, d;
  RopeStyle style;
  Step step;
};

struct Pair {
  int first, second, angle;
};
__device__ inline Pair pair_of(const Rope& a, int angle) {
  return a.style == RopeStyle::half ? Pair{angle, angle + a.rotary / 2, angle} : Pair{2 * angle, 2 * angle + 1, angle};
}

// Value i of a head after the rotation; the head itself stays as it is.
__device__ inline float rotated(const Rope& a, const float* x, const float* cos_sin, int i) {
  if (i >= a.rotary) return x[i];
  const int pairs = a.rotary / 2;
  const Pair p = pair_of(a, a.style == RopeStyle::half ? i % pairs : i / 2);
  const float c = cos_sin[p.angle], s = cos_sin[pairs + p.angle];
  return i == p.first ? x[p.first] * c - x[p.second] * s : x[p.second] * c + x[p.first] * s;
}

// The block writes key (rotated) or value `head` of a row to its position in the cache.
__device__ inline void store_head(const Rope& a, bool key, int64_t row, int64_t position, int head) {
  const HeadRows& from = key ? a.k : a.v;
  const float* x = from.data + row * from.row_stride + head * from.head_stride;
  const Cache& cache = key ? a.k_cache : a.v_cache;
  const int64_t at = cache.at(head, position);
  for (int i = static_cast<int>(threadIdx.x); i < a.d; i += static_cast<int>(blockDim.x)) {  // whole warps where d is a multiple of 32
    store_value(cache, at + i, key ? rotated(a, x, a.cos_sin + position * a.rotary, i) : x[i]);
  }
}

// Checks that the cache and the table of angles hold the rows.
inline Rope rope_of(const QkvRopeStoreArgs& a, Stream& stream) {
  const auto rows_of = [](const Tensor& t) { return HeadRows{t.as<float>(), t.stride[0], t.stride[1], t.extent[1]}; };
  const int64_t most = stream.recording() ? 0 : stream.most_past(a.step, a.k_cache.extent[1]);
  LAVA_CHECK(most >= 0 && most + a.q.extent[0] <= a.k_cache.extent[1] && most + a.q.extent[0] <= a.cos_sin.extent[0]);
  return {rows_of(a.q), rows_of(a.k), rows_of(a.v), cache_of(a.k_cache), cache_of(a.v_cache), a.cos_sin.as<float>(), a.cos_sin.extent[1], a.k.extent[2], a.style, stream.step(a.step)};
}

}  // namespace lava::cuda
