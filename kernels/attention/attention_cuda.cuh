// What the two CUDA kernels of attention share.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/cuda/cache.cuh"
#include "kernels/rope/rope_cuda.cuh"

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

inline Attention attention_of(const AttentionArgs& a, Stream& stream) {
  return {a.out.as<float>(), a.q.as<float>(), a.out.stride[0], a.out.stride[1], a.q.stride[0], a.q.stride[1], cache_of(a.k), cache_of(a.v),
          a.q.extent[0], a.q.extent[1], a.k.extent[0], a.q.extent[2], a.k.extent[1], a.scale, a.causal, stream.step(a.step)};
}

void attend_few(const Attention& a, int64_t most_keys, Stream& stream);   // any d; keys split over blocks
void attend_step(const Attention& a, const Rope& rope, int64_t most_keys, Stream& stream);  // one row, rotated and stored first; q stays as it is
void attend_many(const Attention& a, Stream& stream);                     // d <= most_tiled_d; tiles of queries
void attend_mma(const Attention& a, Stream& stream);                      // takes_mma(); the same on tensor cores
constexpr int most_tiled_d = 256;

// Calls f.template operator()<dtype>() for the type of the cache.
template <class F>
void with_cache_type(DType dtype, const F& f) {
  if (dtype == DType::f32) return f.template operator()<DType::f32>();
  if (dtype == DType::f16) return f.template operator()<DType::f16>();
  f.template operator()<DType::q8_0>();
}

}  // namespace lava::cuda
