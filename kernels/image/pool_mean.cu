#include "kernels/cuda/device_math.cuh"
#include "kernels/image/image_ops.h"

namespace lava::cuda {
namespace {

// A thread per value of out [h / size, w / size, c].
__global__ void pool_mean_kernel(float* out, int64_t values, int64_t out_w, const float* x, int64_t w, int64_t c, int64_t size) {
  const int64_t i = global_index();
  if (i >= values) return;
  const int64_t channel = i % c, ox = i / c % out_w, oy = i / c / out_w;
  float sum = 0;
  for (int64_t y = oy * size; y < (oy + 1) * size; ++y) {
    for (int64_t k = ox * size; k < (ox + 1) * size; ++k) sum += x[(y * w + k) * c + channel];
  }
  out[i] = sum / static_cast<float>(size * size);
}

}  // namespace

void pool_mean(const void* args, Stream& stream) {
  const auto& a = *static_cast<const PoolMeanArgs*>(args);
  constexpr int threads = 256;
  launch(stream, pool_mean_kernel, blocks_for(a.out.elements(), threads), threads, 0, a.out.as<float>(), a.out.elements(), int64_t{a.out.extent[1]},
         a.x.as<float>(), int64_t{a.x.extent[1]}, int64_t{a.x.extent[2]}, int64_t{a.size});
}

}  // namespace lava::cuda
