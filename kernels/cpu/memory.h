// Host memory of the CPU device: 64-byte aligned, in 2 MB pages when big and dense. Its contents are arbitrary.
#pragma once
#include "kernels/device.h"

namespace lava {
Result<std::unique_ptr<Buffer>> allocate_host(size_t bytes, Filling filling = Filling::dense);
}  // namespace lava
