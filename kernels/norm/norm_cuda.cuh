#pragma once
#include "kernels/cuda/stream.h"
#include "kernels/tensor.h"

namespace lava::cuda {

// out = x / sqrt(mean(x^2) + eps) * gain, by row: what rms_norm launches.
void norm_rows(const Tensor& out, const Tensor& x, const Tensor& gain, float eps, Stream& stream);

}  // namespace lava::cuda
