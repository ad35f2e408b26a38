#include "kernels/rope/qkv_rope_store.h"

#include "kernels/cuda/cache.cuh"

namespace lava::cuda {
namespace {

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
__device__ Pair pair_of(const Rope& a, int angle) {
  return a.style == RopeStyle::half ? Pair{angle, angle + a.rotary / 2, angle} : Pair{2 * angle, 2 * angle + 1, angle};
}

// Value i of a head after the rotation; the head itself stays as it is.
__device__ float rotated(const Rope& a, const float* x, const float* cos_sin, int i) {
  if (i >= a.rotary) return x[i];
  const int pairs = a.rotary / 2;
  const Pair p = pair_of(a, a.style == RopeStyle::half ? i % pairs : i / 2);
  const float c = cos_sin[p.angle], s = cos_sin[pairs + p.angle];
  return i == p.first ? x[p.first] * c - x[p.second] * s : x[p.second] * c + x[p.first] * s;
}

// blockIdx.x: row; blockIdx.y: heads of q, then of k, then of v.
__global__ void qkv_rope_store_kernel(Rope a) {
  const int64_t row = blockIdx.x, position = past_of(a.step) + row;
  int head = static_cast<int>(blockIdx.y);
  const float* cos_sin = a.cos_sin + position * a.rotary;
  if (head < a.q.heads) {  // in place: a thread owns both values of a pair
    float* x = a.q.data + row * a.q.row_stride + head * a.q.head_stride;
    for (int angle = static_cast<int>(threadIdx.x); angle < a.rotary / 2; angle += static_cast<int>(blockDim.x)) {
      const Pair p = pair_of(a, angle);
      const float c = cos_sin[angle], s = cos_sin[a.rotary / 2 + angle], first = x[p.first], second = x[p.second];
      x[p.first] = first * c - second * s;
      x[p.second] = second * c + first * s;
    }
    return;
  }
  head -= a.q.heads;
  const bool key = head < a.k.heads;
  if (!key) head -= a.k.heads;
  const HeadRows& from = key ? a.k : a.v;
  const float* x = from.data + row * from.row_stride + head * from.head_stride;
  const Cache& cache = key ? a.k_cache : a.v_cache;
  const int64_t at = cache.at(head, position);
  for (int i = static_cast<int>(threadIdx.x); i < a.d; i += static_cast<int>(blockDim.x)) {  // whole warps where d is a multiple of 32
    store_value(cache, at + i, key ? rotated(a, x, cos_sin, i) : x[i]);
  }
}

HeadRows head_rows(const Tensor& t) { return {t.as<float>(), t.stride[0], t.stride[1], t.extent[1]}; }

}  // namespace

void qkv_rope_store(const void* args, Stream& stream) {
  const auto& a = *static_cast<const QkvRopeStoreArgs*>(args);
  const Rope rope{head_rows(a.q), head_rows(a.k), head_rows(a.v), cache_of(a.k_cache), cache_of(a.v_cache), a.cos_sin.as<float>(),
                  a.cos_sin.extent[1], a.k.extent[2], a.style, stream.step(a.step)};
  const int64_t most = stream.recording() ? 0 : stream.most_past(a.step, a.k_cache.extent[1]);
  LAVA_CHECK(most >= 0 && most + a.q.extent[0] <= a.k_cache.extent[1] && most + a.q.extent[0] <= a.cos_sin.extent[0]);
  launch(stream, qkv_rope_store_kernel, dim3(static_cast<unsigned>(a.q.extent[0]), static_cast<unsigned>(rope.q.heads + 2 * rope.k.heads)), 128, 0, rope);
}

}  // namespace lava::cuda
