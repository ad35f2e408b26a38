#include "kernels/cuda/device_math.cuh"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

namespace lava::cuda {
namespace {

// A block per row. The mean is kept as two floats: far from zero one would not tell the values' distances from it.
__global__ void layer_norm_kernel(Rows out, Rows x, const float* weight, const float* bias, float eps) {
  __shared__ float parts[warp_size];
  const float* from = x.data + blockIdx.x * x.stride;
  float* to = out.data + blockIdx.x * out.stride;
  const auto width = static_cast<float>(x.width);
  float sum = 0, rest_sum = 0, squares = 0;
  for (int64_t j = threadIdx.x; j < x.width; j += blockDim.x) sum += from[j];
  const float mean = block_sum(sum, parts) / width;
  for (int64_t j = threadIdx.x; j < x.width; j += blockDim.x) rest_sum += from[j] - mean;
  const float rest = block_sum(rest_sum, parts) / width;
  const auto centred = [&](int64_t j) { return from[j] - mean - rest; };
  for (int64_t j = threadIdx.x; j < x.width; j += blockDim.x) squares += centred(j) * centred(j);
  const float factor = 1.0f / sqrtf(block_sum(squares, parts) / width + eps);
  for (int64_t j = threadIdx.x; j < x.width; j += blockDim.x) to[j] = centred(j) * factor * weight[j] + bias[j];
}

}  // namespace

void layer_norm(const void* args, Stream& stream) {
  const auto& a = *static_cast<const LayerNormArgs*>(args);
  launch(stream, layer_norm_kernel, dim3(static_cast<unsigned>(a.x.rows())), 256, 0, Rows(a.out), Rows(a.x), a.weight.as<float>(), a.bias.as<float>(), a.eps);
}

}  // namespace lava::cuda
