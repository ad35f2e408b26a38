#include "kernels/cuda/device_math.cuh"
#include "kernels/image/image_ops.h"

namespace lava::cuda {
namespace {

// A thread per value of out [patches, channels * p * p].
__global__ void patchify_kernel(float* out, const float* x, int64_t values, int64_t width, int64_t h, int64_t w, int64_t p) {
  const int64_t i = global_index();
  if (i >= values) return;
  const int64_t patch = i / width, within = i % width, columns = w / p;
  const int64_t channel = within / (p * p), y = within / p % p, k = within % p;
  out[i] = x[(channel * h + patch / columns * p + y) * w + patch % columns * p + k];
}

}  // namespace

void patchify(const void* args, Stream& stream) {
  const auto& a = *static_cast<const PatchifyArgs*>(args);
  constexpr int threads = 256;
  launch(stream, patchify_kernel, blocks_for(a.out.elements(), threads), threads, 0, a.out.as<float>(), a.x.as<float>(), a.out.elements(),
         int64_t{a.out.extent[1]}, int64_t{a.x.extent[1]}, int64_t{a.x.extent[2]}, int64_t{a.patch});
}

}  // namespace lava::cuda
