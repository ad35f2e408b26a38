#include "kernels/cuda/device_math.cuh"
#include "kernels/rows.h"

namespace lava::cuda {
namespace {

__global__ void add_kernel(Rows out, Rows a, Rows b) {
  const int64_t i = global_index();
  if (i >= a.count * a.width) return;
  const int64_t row = i / a.width, column = i % a.width;
  const int64_t addend = (b.count == a.count ? row * b.stride : 0) + column;
  out.data[row * out.stride + column] = a.data[row * a.stride + column] + b.data[addend];
}

}  // namespace

void add(const void* args, Stream& stream) {
  const auto& a = *static_cast<const AddArgs*>(args);
  constexpr int threads = 256;
  launch(stream, add_kernel, blocks_for(a.a.elements(), threads), threads, 0, Rows(a.out), Rows(a.a), Rows(a.b));
}

}  // namespace lava::cuda
