#include "kernels/vulkan/loader.h"

#include <dlfcn.h>

namespace lava::vulkan {

Result<std::unique_ptr<Loader>> Loader::open() {
  void* library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* cause = dlerror();
    return fail(Error::Kind::not_found, "Vulkan is not installed here", cause ? cause : "libvulkan.so.1 does not open",
                "Install the graphics driver of this machine with its Vulkan part");
  }
  std::unique_ptr<Loader> loader(new Loader(library));
  loader->GetInstanceProcAddr = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
  bool complete = loader->GetInstanceProcAddr != nullptr;
#define LAVA_VULKAN_LOAD(name) \
  if (complete) loader->name = reinterpret_cast<PFN_vk##name>(loader->GetInstanceProcAddr(nullptr, "vk" #name)), complete = loader->name != nullptr;
  LAVA_VULKAN_GLOBAL(LAVA_VULKAN_LOAD)
#undef LAVA_VULKAN_LOAD
  if (!complete) {
    return fail(Error::Kind::unsupported, "The Vulkan loader of this machine is too old", "it knows no Vulkan 1.2", "Update the graphics driver");
  }
  return loader;
}

Loader::~Loader() { dlclose(library_); }

void Loader::load_instance(VkInstance instance) {
#define LAVA_VULKAN_LOAD(name) name = reinterpret_cast<PFN_vk##name>(GetInstanceProcAddr(instance, "vk" #name));
  LAVA_VULKAN_INSTANCE(LAVA_VULKAN_LOAD)
#undef LAVA_VULKAN_LOAD
}

DeviceFunctions Loader::load_device(VkDevice device) const {
  DeviceFunctions functions;
#define LAVA_VULKAN_LOAD(name) functions.name = reinterpret_cast<PFN_vk##name>(GetDeviceProcAddr(device, "vk" #name));
  LAVA_VULKAN_DEVICE(LAVA_VULKAN_LOAD)
#undef LAVA_VULKAN_LOAD
  return functions;
}

const char* result_name(VkResult result) {
  switch (result) {
    case VK_SUCCESS: return "success";
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "out of host memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "out of device memory";
    case VK_ERROR_INITIALIZATION_FAILED: return "the driver does not start";
    case VK_ERROR_DEVICE_LOST: return "the device was lost";
    case VK_ERROR_LAYER_NOT_PRESENT: return "a layer is missing";
    case VK_ERROR_EXTENSION_NOT_PRESENT: return "an extension is missing";
    case VK_ERROR_FEATURE_NOT_PRESENT: return "a feature is missing";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "no driver is installed";
    default: return "the driver reports an error";
  }
}

}  // namespace lava::vulkan
