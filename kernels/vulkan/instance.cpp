#include "kernels/vulkan/instance.h"

#include <cstdio>
#include <cstring>
#include <string_view>

#include "kernels/vulkan/settings.h"

namespace lava::vulkan {
namespace {

constexpr const char* validation_layer = "VK_LAYER_KHRONOS_validation";

VKAPI_ATTR VkBool32 VKAPI_CALL print_message(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                                             const VkDebugUtilsMessengerCallbackDataEXT* data, void* count) {
  ++*static_cast<std::atomic<int64_t>*>(count);
  std::fprintf(stderr, "vulkan: %s\n", data->pMessage);
  return VK_FALSE;
}

bool has_layer(const Loader& loader) {
  uint32_t count = 0;
  loader.EnumerateInstanceLayerProperties(&count, nullptr);
  std::vector<VkLayerProperties> layers(count);
  loader.EnumerateInstanceLayerProperties(&count, layers.data());
  for (const VkLayerProperties& layer : layers) {
    if (std::string_view(layer.layerName) == validation_layer) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Instance>> Instance::create() {
  LAVA_TRY(auto loader, Loader::open());
  std::unique_ptr<Instance> instance(new Instance(std::move(loader)));
  LAVA_CHECK_OK(instance->start(settings().validate));
  return instance;
}

Result<void> Instance::start(bool validate) {
  if (validate && !has_layer(*loader_)) {
    return fail(Error::Kind::not_found, "The Vulkan validation layers are not installed", validation_layer,
                "Install vulkan-validationlayers, or unset LAVASCOPE_VULKAN_VALIDATE");
  }
  VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.pApplicationName = application.pEngineName = "lavascope";
  application.apiVersion = VK_API_VERSION_1_2;
  VkDebugUtilsMessengerCreateInfoEXT messages{VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
  messages.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  messages.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
  messages.pfnUserCallback = print_message, messages.pUserData = &messages_;
  const char* extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;
  if (validate) {
    info.enabledLayerCount = 1, info.ppEnabledLayerNames = &validation_layer;
    info.enabledExtensionCount = 1, info.ppEnabledExtensionNames = &extension;
  }
  const VkResult result = loader_->CreateInstance(&info, nullptr, &instance_);
  if (result != VK_SUCCESS) {
    return fail(Error::Kind::not_found, "Vulkan does not start on this machine", result_name(result), "Install or update the graphics driver");
  }
  loader_->load_instance(instance_);
  if (!validate) return {};
  const auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(loader_->GetInstanceProcAddr(instance_, "vkCreateDebugUtilsMessengerEXT"));
  if (!create || create(instance_, &messages, nullptr, &messenger_) != VK_SUCCESS) {
    return fail(Error::Kind::unsupported, "The messages of the Vulkan validation layers cannot be read", "no messenger could be made");
  }
  return {};
}

Instance::~Instance() {
  if (messenger_) {
    const auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(loader_->GetInstanceProcAddr(instance_, "vkDestroyDebugUtilsMessengerEXT"));
    if (destroy) destroy(instance_, messenger_, nullptr);
  }
  if (instance_) loader_->DestroyInstance(instance_, nullptr);
}

Result<std::vector<VkPhysicalDevice>> Instance::devices() const {
  uint32_t count = 0;
  VkResult result = loader_->EnumeratePhysicalDevices(instance_, &count, nullptr);
  std::vector<VkPhysicalDevice> devices(count);
  if (result == VK_SUCCESS && count > 0) result = loader_->EnumeratePhysicalDevices(instance_, &count, devices.data());
  if (result != VK_SUCCESS) {
    return fail(Error::Kind::io, "The Vulkan driver does not list its devices", result_name(result), "Install or update the graphics driver");
  }
  devices.resize(count);
  return devices;
}

}  // namespace lava::vulkan
