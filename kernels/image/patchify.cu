#include "kernels/cuda/device_math.cuh"
#include "kernels/image/image_ops.h"

namespace lava::cuda {
namespace {

// Where in the picture value i of out [patches, channels * p * p] comes from.
struct Source {
  int64_t channel, y, x;

  __device__ Source(int64_t i, int64_t width, int64_t w, int64_t p) {
    const int64_t patch = i / width, within = i % width, columns = w / p;
    channel = within / (p * p), y = patch / columns * p + within / p % p, x = patch % columns * p + within % p;
  }
};

// A thread per value of out; x [channels, h, w].
__global__ void patchify_kernel(float* out, const float* x, int64_t values, int64_t width, int64_t h, int64_t w, int64_t p) {
  const int64_t i = global_index();
  if (i >= values) return;
  const Source from(i, width, w, p);
  out[i] = x[(from.channel * h + from.y) * w + from.x];
}

// The same from bytes x [h, w, channels] by what they stand for, table [channels, 256].
__global__ void patchify_bytes_kernel(float* out, const uint8_t* x, const float* table, int64_t values, int64_t width, int64_t channels, int64_t w, int64_t p) {
  const int64_t i = global_index();
  if (i >= values) return;
  const Source from(i, width, w, p);
  out[i] = table[256 * from.channel + x[(from.y * w + from.x) * channels + from.channel]];
}

}  // namespace

void patchify(const void* args, Stream& stream) {
  const auto& a = *static_cast<const PatchifyArgs*>(args);
  constexpr int threads = 256;
  const int64_t values = a.out.elements(), width = a.out.extent[1], p = a.patch;
  const auto blocks = blocks_for(values, threads);
  if (a.table.empty()) return launch(stream, patchify_kernel, blocks, threads, 0, a.out.as<float>(), a.x.as<float>(), values, width, a.height(), a.width(), p);
  launch(stream, patchify_bytes_kernel, blocks, threads, 0, a.out.as<float>(), a.x.as<uint8_t>(), a.table.as<float>(), values, width, a.channels(), a.width(), p);
}

}  // namespace lava::cuda
