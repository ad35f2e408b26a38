// Host memory of the CPU device: 64-byte aligned, in 2 MB pages when big and not sparse. Its contents are arbitrary.
#pragma once
#include "kernels/device.h"

namespace lava {
Result<std::unique_ptr<Buffer>> allocate_host(size_t bytes, BufferUse use = BufferUse::shared);
}  // namespace lava
