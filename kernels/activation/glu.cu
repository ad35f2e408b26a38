#include "kernels/cuda/device_math.cuh"
#include "kernels/rows.h"

namespace lava::cuda {
namespace {

__global__ void glu_kernel(Activation kind, Rows out, Rows gate, Rows up) {
  const int64_t i = global_index();
  if (i >= gate.count * gate.width) return;
  const int64_t row = i / gate.width, column = i % gate.width;
  out.data[row * out.stride + column] = apply(kind, gate.data[row * gate.stride + column]) * up.data[row * up.stride + column];
}

}  // namespace

void glu(const void* args, Stream& stream) {
  const auto& a = *static_cast<const GluArgs*>(args);
  constexpr int threads = 256;
  launch(stream, glu_kernel, blocks_for(a.gate.elements(), threads), threads, 0, a.kind, Rows(a.out), Rows(a.gate), Rows(a.up));
}

}  // namespace lava::cuda
