#include "kernels/rope/rope_cuda.cuh"

namespace lava::cuda {
namespace {

// blockIdx.x: row; blockIdx.y: heads of q, then of k, then of v.
__global__ void qkv_rope_store_kernel(Rope a) {
  const int64_t row = blockIdx.x, position = past_of(a.step) + row;
  const int head = static_cast<int>(blockIdx.y) - a.q.heads;
  if (head >= 0) return store_head(a, head < a.k.heads, row, position, head % a.k.heads);
  const float* cos_sin = a.cos_sin + position * a.rotary;
  float* x = a.q.data + row * a.q.row_stride + static_cast<int>(blockIdx.y) * a.q.head_stride;
  for (int angle = static_cast<int>(threadIdx.x); angle < a.rotary / 2; angle += static_cast<int>(blockDim.x)) {  // in place: a thread owns both values of a pair
    const Pair p = pair_of(a, angle);
    const float c = cos_sin[angle], s = cos_sin[a.rotary / 2 + angle], first = x[p.first], second = x[p.second];
    x[p.first] = first * c - second * s;
    x[p.second] = second * c + first * s;
  }
}

}  // namespace

void qkv_rope_store(const void* args, Stream& stream) {
  const Rope rope = rope_of(*static_cast<const QkvRopeStoreArgs*>(args), stream);
  const auto rows = static_cast<const QkvRopeStoreArgs*>(args)->q.extent[0];
  launch(stream, qkv_rope_store_kernel, dim3(static_cast<unsigned>(rows), static_cast<unsigned>(rope.q.heads + 2 * rope.k.heads)), 128, 0, rope);
}

}  // namespace lava::cuda
