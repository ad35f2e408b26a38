#include "kernels/cuda/device_math.cuh"
#include "kernels/norm/norm.h"
#include "kernels/norm/norm_cuda.cuh"
#include "kernels/rows.h"

namespace lava::cuda {
namespace {

// A block per row.
__global__ void rms_norm_kernel(Rows out, Rows x, const float* weight, float eps) {
  __shared__ float parts[warp_size];
  const float* from = x.data + blockIdx.x * x.stride;
  float* to = out.data + blockIdx.x * out.stride;
  float sum = 0;
  for (int64_t j = threadIdx.x; j < x.width; j += blockDim.x) sum += from[j] * from[j];
  const float factor = 1.0f / sqrtf(block_sum(sum, parts) / static_cast<float>(x.width) + eps);
  for (int64_t j = threadIdx.x; j < x.width; j += blockDim.x) to[j] = from[j] * factor * weight[j];
}

}  // namespace

void norm_rows(const Tensor& out, const Tensor& x, const Tensor& gain, float eps, Stream& stream) {
  launch(stream, rms_norm_kernel, dim3(static_cast<unsigned>(x.rows())), x.width() > 2048 ? 1024 : 256, 0, Rows(out), Rows(x), gain.as<float>(), eps);
}

void rms_norm(const void* args, Stream& stream) {
  const auto& a = *static_cast<const RmsNormArgs*>(args);
  norm_rows(a.out, a.x, a.weight, a.eps, stream);
}

}  // namespace lava::cuda
