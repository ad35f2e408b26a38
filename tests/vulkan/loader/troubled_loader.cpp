#include "tests/vulkan/loader/troubled_loader.h"

#define VK_NO_PROTOTYPES
#include <dlfcn.h>
#include <vulkan/vulkan.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

namespace lava::test {
namespace {

std::recursive_mutex mutex;

// The calls that may find no memory; those of them that also tell of a lost device.
#define LAVA_MAY_FAIL(X)                                                                                                                        \
  X(CreateInstance) X(EnumeratePhysicalDevices) X(CreateDevice) X(AllocateMemory) X(MapMemory) X(CreateBuffer) X(BindBufferMemory)               \
  X(CreateShaderModule) X(CreatePipelineLayout) X(CreatePipelineCache) X(GetPipelineCacheData) X(CreateComputePipelines) X(CreateCommandPool)    \
  X(ResetCommandPool) X(AllocateCommandBuffers) X(BeginCommandBuffer) X(EndCommandBuffer) X(QueueSubmit) X(CreateSemaphore) X(WaitSemaphores)    \
  X(DeviceWaitIdle)
constexpr std::string_view may_be_lost[] = {"CreateDevice", "QueueSubmit", "WaitSemaphores", "DeviceWaitIdle"};
#define LAVA_DESTROYS(X)                                                                                                                        \
  X(DestroyInstance) X(DestroyDevice) X(FreeMemory) X(DestroyBuffer) X(DestroyShaderModule) X(DestroyPipelineLayout) X(DestroyPipelineCache)     \
  X(DestroyPipeline) X(DestroyCommandPool) X(DestroySemaphore)
#define LAVA_PASSED_ON(X) LAVA_MAY_FAIL(X) LAVA_DESTROYS(X) X(CmdDispatch) X(CmdCopyBuffer) X(CmdPipelineBarrier) X(GetDeviceProcAddr)

#define LAVA_MEMBER(name) PFN_vk##name name = nullptr;
struct Real {
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;
  LAVA_PASSED_ON(LAVA_MEMBER)
} real;
#undef LAVA_MEMBER

TroubledLoader from_environment() {
  TroubledLoader loader;
  const std::string_view text = std::getenv("LAVA_LOADER_TROUBLE") ? std::getenv("LAVA_LOADER_TROUBLE") : "";
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return loader;
  loader.trouble = text.starts_with("lost") ? Trouble::lost : text.ends_with('+') ? Trouble::always_full : Trouble::full;
  loader.at = std::atoll(text.data() + colon + 1);
  return loader;
}

TroubledLoader& loader() {
  static TroubledLoader one = from_environment();
  return one;
}

bool may_meet(Trouble trouble, std::string_view call) {
  if (trouble == Trouble::none || trouble == Trouble::full) return true;
  if (trouble == Trouble::always_full) return call == "AllocateMemory";
  for (const std::string_view name : may_be_lost)
    if (name == call) return true;
  return false;
}

// What the call says instead of being made; VK_SUCCESS: it is made.
VkResult trouble_of(std::string_view call) {
  TroubledLoader& now = loader();
  if (!may_meet(now.trouble, call)) return VK_SUCCESS;
  const int64_t number = now.calls++;
  const bool stays = now.trouble != Trouble::full;
  if (now.trouble == Trouble::none || (stays ? number < now.at : number != now.at)) return VK_SUCCESS;
  if (!std::exchange(now.met, true)) now.call = call;
  return now.trouble == Trouble::lost ? VK_ERROR_DEVICE_LOST : VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

// A lost device is done with its work: the one that plays it has to be.
VkDevice latest_device = VK_NULL_HANDLE;
void note_device(VkDevice device) { latest_device = device; }
void note_device(const void*) {}
void quiesce() {
  if (latest_device && real.DeviceWaitIdle) real.DeviceWaitIdle(latest_device);
}

constexpr bool makes(std::string_view call) { return (call.starts_with("Create") || call == "AllocateMemory"); }

template <class F>
struct Wrapper;
template <class First, class... Rest>
struct Wrapper<VkResult(VKAPI_PTR*)(First, Rest...)> {
  using Function = VkResult(VKAPI_PTR*)(First, Rest...);
  template <Function Real::*function, const char* name>
  static VKAPI_ATTR VkResult VKAPI_CALL call(First first, Rest... rest) {
    std::unique_lock lock(mutex);
    note_device(first);
    if (const VkResult result = trouble_of(name); result != VK_SUCCESS) {
      if (result == VK_ERROR_DEVICE_LOST) quiesce();
      return result;
    }
    lock.unlock();  // some of them wait
    const VkResult result = (real.*function)(first, rest...);
    lock.lock();
    if (result == VK_SUCCESS && makes(name)) ++loader().alive;
    return result;
  }
};
template <class... Args>
struct Wrapper<void(VKAPI_PTR*)(Args...)> {
  using Function = void(VKAPI_PTR*)(Args...);
  template <Function Real::*function, const char* name>
  static VKAPI_ATTR void VKAPI_CALL call(Args... args) {
    {
      const std::lock_guard lock(mutex);
      const std::string_view call = name;
      if (call == "CmdDispatch") loader().commands += 'd';
      else if (call == "CmdCopyBuffer") loader().commands += 'c';
      else --loader().alive;
      if (call == "DestroyDevice") latest_device = VK_NULL_HANDLE;
    }
    (real.*function)(args...);
  }
};

VKAPI_ATTR void VKAPI_CALL pipeline_barrier(VkCommandBuffer commands, VkPipelineStageFlags before, VkPipelineStageFlags after, VkDependencyFlags flags, uint32_t memory_count,
                                            const VkMemoryBarrier* memory, uint32_t buffer_count, const VkBufferMemoryBarrier* buffers, uint32_t image_count,
                                            const VkImageMemoryBarrier* images) {
  if (after & VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT) {
    const std::lock_guard lock(mutex);
    loader().commands += '|';
  }
  real.CmdPipelineBarrier(commands, before, after, flags, memory_count, memory, buffer_count, buffers, image_count, images);
}

#define LAVA_NAME(name) constexpr char name##_name[] = #name;
LAVA_MAY_FAIL(LAVA_NAME) LAVA_DESTROYS(LAVA_NAME) LAVA_NAME(CmdDispatch) LAVA_NAME(CmdCopyBuffer)
#undef LAVA_NAME

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device(VkDevice device, const char* name);

// What the module gets for `found`, the real function of this name.
PFN_vkVoidFunction front_of(const char* name, PFN_vkVoidFunction found) {
  if (!found) return nullptr;
#define LAVA_FRONT(function)                                                                \
  if (std::strcmp(name, "vk" #function) == 0) {                                             \
    real.function = reinterpret_cast<PFN_vk##function>(found);                              \
    return reinterpret_cast<PFN_vkVoidFunction>(&Wrapper<PFN_vk##function>::call<&Real::function, function##_name>); \
  }
  LAVA_MAY_FAIL(LAVA_FRONT) LAVA_DESTROYS(LAVA_FRONT) LAVA_FRONT(CmdDispatch) LAVA_FRONT(CmdCopyBuffer)
#undef LAVA_FRONT
  if (std::strcmp(name, "vkCmdPipelineBarrier") == 0) {
    real.CmdPipelineBarrier = reinterpret_cast<PFN_vkCmdPipelineBarrier>(found);
    return reinterpret_cast<PFN_vkVoidFunction>(&pipeline_barrier);
  }
  if (std::strcmp(name, "vkGetDeviceProcAddr") == 0) {
    real.GetDeviceProcAddr = reinterpret_cast<PFN_vkGetDeviceProcAddr>(found);
    return reinterpret_cast<PFN_vkVoidFunction>(&get_device);
  }
  return found;
}

PFN_vkVoidFunction VKAPI_CALL get_device(VkDevice device, const char* name) { return front_of(name, real.GetDeviceProcAddr(device, name)); }

PFN_vkGetInstanceProcAddr real_loader() {
  void* library = dlopen(LAVA_REAL_LOADER, RTLD_NOW | RTLD_LOCAL);
  return library ? reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr")) : nullptr;
}

}  // namespace
}  // namespace lava::test

extern "C" __attribute__((visibility("default"))) PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance, const char* name) {
  using namespace lava::test;
  const std::lock_guard lock(mutex);
  if (!real.GetInstanceProcAddr) real.GetInstanceProcAddr = real_loader();
  return real.GetInstanceProcAddr ? front_of(name, real.GetInstanceProcAddr(instance, name)) : nullptr;
}

extern "C" lava::test::TroubledLoader* lava_troubled_loader() { return &lava::test::loader(); }
