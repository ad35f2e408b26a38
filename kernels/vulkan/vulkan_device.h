#pragma once
#include "kernels/device.h"

namespace lava::vulkan {

Result<std::unique_ptr<Device>> open_device(int index);

}  // namespace lava::vulkan
