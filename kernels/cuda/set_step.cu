#include "kernels/cuda/set_step.h"

#include "kernels/cuda/intrinsics.cuh"

namespace lava::cuda {
namespace {

__global__ void set_step_kernel(StepParams* mirror, StepParams values) { *mirror = values; }

}  // namespace

void set_step(StepParams* mirror, const StepParams& values, Stream& stream) { launch(stream, set_step_kernel, dim3(1), 1, 0, mirror, values); }

}  // namespace lava::cuda
