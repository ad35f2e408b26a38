// The device of one NVIDIA card: ops become kernels on one stream, a recording becomes a CUDA graph.
#pragma once
#include "kernels/device.h"

namespace lava::cuda {

constexpr int least_compute_major = 8;  // kernels use tensor cores of BF16

// `ordinal`: as the CUDA runtime counts.
Result<std::unique_ptr<Device>> make_cuda_device(int ordinal);

}  // namespace lava::cuda
