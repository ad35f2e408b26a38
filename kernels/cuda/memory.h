// Memory of one device, and pinned memory of the processor that the device reaches under the same address.
#pragma once
#include <cuda_runtime.h>

#include "kernels/device.h"

namespace lava::cuda {

// Waits for the device when it is freed. The device must be the current one of the calling thread for allocate only.
Result<std::unique_ptr<Buffer>> allocate(int ordinal, size_t bytes, BufferUse use);

// The error of a call that failed outside of ops.
Error error_of(cudaError_t status, std::string what, std::string remedy);

}  // namespace lava::cuda
