// The Vulkan loader, opened at run time, and the functions that this backend calls. Nothing links to libvulkan.
#pragma once
#include <memory>

#include "kernels/result.h"
#include "kernels/vulkan/cooperative_api.h"

#define LAVA_VULKAN_GLOBAL(X) X(CreateInstance) X(EnumerateInstanceVersion) X(EnumerateInstanceLayerProperties)
#define LAVA_VULKAN_INSTANCE(X)                                                                                                        \
  X(DestroyInstance) X(EnumeratePhysicalDevices) X(GetPhysicalDeviceProperties2) X(GetPhysicalDeviceFeatures2)                           \
  X(GetPhysicalDeviceMemoryProperties) X(GetPhysicalDeviceQueueFamilyProperties) X(CreateDevice) X(GetDeviceProcAddr)                         \
  X(EnumerateDeviceExtensionProperties) X(GetPhysicalDeviceCooperativeMatrixPropertiesKHR) /* null where no driver has it */
#define LAVA_VULKAN_DEVICE(X)                                                                                                          \
  X(DestroyDevice) X(GetDeviceQueue) X(DeviceWaitIdle) X(AllocateMemory) X(FreeMemory) X(MapMemory) X(CreateBuffer) X(DestroyBuffer)      \
  X(GetBufferMemoryRequirements) X(BindBufferMemory) X(GetBufferDeviceAddress) X(CreateShaderModule) X(DestroyShaderModule)               \
  X(CreatePipelineLayout) X(DestroyPipelineLayout) X(CreatePipelineCache) X(DestroyPipelineCache) X(GetPipelineCacheData)                 \
  X(CreateComputePipelines) X(DestroyPipeline) X(CreateCommandPool) X(DestroyCommandPool) X(ResetCommandPool) X(AllocateCommandBuffers)   \
  X(FreeCommandBuffers) X(BeginCommandBuffer) X(EndCommandBuffer) X(CmdBindPipeline) X(CmdPushConstants) X(CmdDispatch)                   \
  X(CmdPipelineBarrier) X(CmdCopyBuffer) X(QueueSubmit) X(CreateSemaphore) X(DestroySemaphore) X(WaitSemaphores)

namespace lava::vulkan {

#define LAVA_VULKAN_MEMBER(name) PFN_vk##name name = nullptr;

struct DeviceFunctions {
  LAVA_VULKAN_DEVICE(LAVA_VULKAN_MEMBER)
};

class Loader {
 public:
  static Result<std::unique_ptr<Loader>> open();  // fails where there is no Vulkan
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  LAVA_VULKAN_GLOBAL(LAVA_VULKAN_MEMBER)
  LAVA_VULKAN_INSTANCE(LAVA_VULKAN_MEMBER)
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;

  void load_instance(VkInstance instance);
  DeviceFunctions load_device(VkDevice device) const;

 private:
  explicit Loader(void* library) : library_(library) {}
  void* library_;
};

const char* result_name(VkResult result);

}  // namespace lava::vulkan
