// The module that a program opens: lavascope-vulkan.so.
#include "kernels/module.h"

#include "kernels/vulkan/gpu.h"
#include "kernels/vulkan/vulkan_device.h"

extern "C" [[gnu::visibility("default")]] const lava::DeviceModule* lava_device_module() {
  static const lava::DeviceModule module{lava::module_abi, "vulkan", lava::vulkan::list_devices, lava::vulkan::open_device};
  return &module;
}
