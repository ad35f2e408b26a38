#include "kernels/cuda/device_math.cuh"
#include "kernels/rows.h"

namespace lava::cuda {
namespace {

__global__ void activate_kernel(Activation kind, Rows out, Rows x) {
  const int64_t i = global_index();
  if (i >= x.count * x.width) return;
  const int64_t row = i / x.width, column = i % x.width;
  out.data[row * out.stride + column] = apply(kind, x.data[row * x.stride + column]);
}

}  // namespace

void activate(const void* args, Stream& stream) {
  const auto& a = *static_cast<const ActivateArgs*>(args);
  constexpr int threads = 256;
  launch(stream, activate_kernel, blocks_for(a.x.elements(), threads), threads, 0, a.kind, Rows(a.out), Rows(a.x));
}

}  // namespace lava::cuda
