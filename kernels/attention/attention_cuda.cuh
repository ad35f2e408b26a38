// What the two CUDA kernels of attention share.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/cuda/cache.cuh"

namespace lava::cuda {

struct Attention {
  float* out;
  const float* q;
  int64_t out_row, out_head, q_row, q_head;  // strides
  Cache k, v;
  int rows, heads, kv_heads, d, keys;  // keys: of k and v
  float scale;
  bool causal;
  Step step;

  // Keys that query `row` sees.
  __device__ int64_t seen(int64_t row) const { return causal ? past_of(step) + row + 1 : keys; }
};

void attend_few(const Attention& a, int64_t most_keys, Stream& stream);   // any d; keys split over blocks
void attend_many(const Attention& a, Stream& stream);                     // d <= most_tiled_d; tiles of queries
constexpr int most_tiled_d = 256;

// Calls f.template operator()<dtype>() for the type of the cache.
template <class F>
void with_cache_type(DType dtype, const F& f) {
  if (dtype == DType::f32) return f.template operator()<DType::f32>();
  if (dtype == DType::f16) return f.template operator()<DType::f16>();
  f.template operator()<DType::q8_0>();
}

}  // namespace lava::cuda
