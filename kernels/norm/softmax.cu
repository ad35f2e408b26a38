#include "kernels/cuda/device_math.cuh"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

namespace lava::cuda {
namespace {

// A block per row.
__global__ void softmax_kernel(Rows out, Rows x) {
  __shared__ float parts[warp_size];
  const float* from = x.data + blockIdx.x * x.stride;
  float* to = out.data + blockIdx.x * out.stride;
  float highest = -INFINITY, sum = 0;
  for (int64_t j = threadIdx.x; j < x.width; j += blockDim.x) highest = fmaxf(highest, from[j]);
  highest = block_max(highest, parts);
  for (int64_t j = threadIdx.x; j < x.width; j += blockDim.x) sum += expf(from[j] - highest);
  const float total = block_sum(sum, parts);
  for (int64_t j = threadIdx.x; j < x.width; j += blockDim.x) to[j] = expf(from[j] - highest) / total;
}

}  // namespace

void softmax(const void* args, Stream& stream) {
  const auto& a = *static_cast<const SoftmaxArgs*>(args);
  launch(stream, softmax_kernel, dim3(static_cast<unsigned>(a.x.rows())), 256, 0, Rows(a.out), Rows(a.x));
}

}  // namespace lava::cuda
