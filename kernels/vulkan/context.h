// All that a device, its buffers and its recordings share. Buffers and recordings hold it, so that they may be freed after the device.
#pragma once
#include <mutex>

#include "kernels/vulkan/memory.h"
#include "kernels/vulkan/pipelines.h"
#include "kernels/vulkan/stream.h"

namespace lava::vulkan {

struct Context {
  std::recursive_mutex mutex;  // around everything below; recursive because a recording's body executes ops
  std::unique_ptr<Gpu> gpu;
  Tiles tiles;
  std::unique_ptr<Pipelines> pipelines;
  std::vector<std::unique_ptr<Allocation>> scratch;  // the last is the largest; recordings may still name the others
  AddressMap addresses;
  std::unique_ptr<Stream> stream;  // destroyed first: it waits for the device
};

}  // namespace lava::vulkan
