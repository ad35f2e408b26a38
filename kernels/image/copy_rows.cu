#include "kernels/cuda/device_math.cuh"
#include "kernels/image/image_ops.h"

namespace lava::cuda {
namespace {

struct Strided {
  float* data;
  int64_t stride[4];
};
struct Extents {
  int64_t n[4];
  int rank;
};

// A thread per value.
__global__ void copy_rows_kernel(Strided out, Strided x, Extents extent, int64_t values) {
  const int64_t i = global_index();
  if (i >= values) return;
  int64_t rest = i, from = 0, to = 0;
  for (int axis = extent.rank - 1; axis >= 0; --axis) {
    const int64_t index = rest % extent.n[axis];
    rest /= extent.n[axis];
    from += index * x.stride[axis], to += index * out.stride[axis];
  }
  out.data[to] = x.data[from];
}

Strided strided(const Tensor& t) { return {t.as<float>(), {t.stride[0], t.stride[1], t.stride[2], t.stride[3]}}; }

}  // namespace

void copy_rows(const void* args, Stream& stream) {
  const auto& a = *static_cast<const CopyRowsArgs*>(args);
  constexpr int threads = 256;
  const Extents extents{{a.x.extent[0], a.x.extent[1], a.x.extent[2], a.x.extent[3]}, a.x.rank};
  launch(stream, copy_rows_kernel, blocks_for(a.x.elements(), threads), threads, 0, strided(a.out), strided(a.x), extents, a.x.elements());
}

}  // namespace lava::cuda
