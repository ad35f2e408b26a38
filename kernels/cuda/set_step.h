// Puts the values of StepParams where the kernels of a recording read them.
#pragma once
#include "kernels/cuda/stream.h"

namespace lava::cuda {

// The values travel with the launch: the host may change its own right afterwards.
void set_step(StepParams* mirror, const StepParams& values, Stream& stream);

}  // namespace lava::cuda
