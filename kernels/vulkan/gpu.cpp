#include "kernels/vulkan/gpu.h"

#include <algorithm>
#include <cstring>

#include "kernels/vulkan/matrices.h"
#include "kernels/vulkan/settings.h"

namespace lava::vulkan {
namespace {

struct Features {
  VkPhysicalDeviceFeatures2 core{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
  VkPhysicalDeviceVulkan11Features v11{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
  VkPhysicalDeviceVulkan12Features v12{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  Features() { core.pNext = &v11, v11.pNext = &v12; }
  Features(const Features&) = delete;
  Features& operator=(const Features&) = delete;
};

// What the shaders cannot do without, in words; empty: all is there.
std::string missing_features(const Features& f) {
  std::string missing;
  const auto need = [&](bool there, const char* name) {
    if (!there) missing += (missing.empty() ? "" : ", ") + std::string(name);
  };
  need(f.v12.bufferDeviceAddress, "bufferDeviceAddress");
  need(f.v12.timelineSemaphore, "timelineSemaphore");
  need(f.v11.storageBuffer16BitAccess, "storageBuffer16BitAccess");
  return missing;
}

uint64_t local_memory(const VkPhysicalDeviceMemoryProperties& memory) {
  uint64_t largest = 0;
  for (uint32_t i = 0; i < memory.memoryHeapCount; ++i) {
    if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) largest = std::max<uint64_t>(largest, memory.memoryHeaps[i].size);
  }
  return largest;
}

// A family that computes; one that does nothing else where there is one.
int compute_family(const Loader& vk, VkPhysicalDevice device) {
  uint32_t count = 0;
  vk.GetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vk.GetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  int found = -1;
  for (uint32_t i = 0; i < count; ++i) {
    if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)) continue;
    const bool alone = !(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT);
    if (found < 0 || alone) found = static_cast<int>(i);
    if (alone) break;
  }
  return found;
}

Result<Abilities> abilities_of(const Loader& vk, VkPhysicalDevice device) {
  VkPhysicalDeviceVulkan11Properties v11{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES};
  VkPhysicalDeviceDriverProperties driver{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  properties.pNext = &v11, v11.pNext = &driver;
  vk.GetPhysicalDeviceProperties2(device, &properties);
  const VkPhysicalDeviceProperties& core = properties.properties;
  Features features;
  const bool recent = core.apiVersion >= VK_API_VERSION_1_2;
  if (recent) vk.GetPhysicalDeviceFeatures2(device, &features.core);
  const std::string missing = recent ? missing_features(features) : "Vulkan 1.2";
  const int family = compute_family(vk, device);
  if (!missing.empty() || family < 0) {
    return fail(Error::Kind::unsupported, "This graphics device cannot run the models",
                std::string(core.deviceName) + " lacks " + (missing.empty() ? "a queue that computes" : missing),
                "Update its driver, or choose another device");
  }
  VkPhysicalDeviceMemoryProperties memory;
  vk.GetPhysicalDeviceMemoryProperties(device, &memory);
  Abilities found;
  found.name = core.deviceName;
  found.driver = std::string(driver.driverName) + " " + driver.driverInfo + " " + std::to_string(core.driverVersion);
  std::memcpy(found.device_uuid, v11.deviceUUID, VK_UUID_SIZE);
  found.driver_version = core.driverVersion, found.vendor = core.vendorID, found.model = core.deviceID;
  found.subgroups = (v11.subgroupSupportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT) && (v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT);
  found.software = core.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  found.integrated = found.software || core.deviceType == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
  found.memory = local_memory(memory), found.largest_allocation = v11.maxMemoryAllocationSize;
  found.queue_family = static_cast<uint32_t>(family);
  found.limits.invocations = std::min(core.limits.maxComputeWorkGroupInvocations, core.limits.maxComputeWorkGroupSize[0]);
  found.limits.shared_bytes = core.limits.maxComputeSharedMemorySize, found.limits.subgroup = v11.subgroupSize;
  if (settings().matrix != "0") found.matrices = device_shapes(vk, device);
  return found;
}

struct Candidate {
  VkPhysicalDevice device;
  Abilities abilities;
};

// The devices that can run the shaders, in the driver's order; `refused` says why the last of the others cannot.
Result<std::vector<Candidate>> candidates(const Instance& instance, Error& refused) {
  LAVA_TRY(const std::vector<VkPhysicalDevice> devices, instance.devices());
  std::vector<Candidate> found;
  for (VkPhysicalDevice device : devices) {
    auto abilities = abilities_of(instance.loader(), device);
    if (abilities) found.push_back({device, std::move(*abilities)});
    else refused = abilities.error();
  }
  return found;
}

}  // namespace

Result<std::vector<ModuleDevice>> list_devices() {
  LAVA_TRY(const auto instance, Instance::create());
  Error refused;
  LAVA_TRY(const std::vector<Candidate> found, candidates(*instance, refused));
  if (found.empty() && !refused.what.empty()) return tl::unexpected<Error>(refused);
  std::vector<ModuleDevice> devices;
  for (const Candidate& c : found) devices.push_back({c.abilities.name, c.abilities.memory, c.abilities.integrated, c.abilities.software, c.abilities.driver});
  return devices;
}

Result<std::unique_ptr<Gpu>> Gpu::open(int index) {
  LAVA_TRY(auto instance, Instance::create());
  Error refused;
  LAVA_TRY(const std::vector<Candidate> found, candidates(*instance, refused));
  if (found.empty() && !refused.what.empty()) return tl::unexpected<Error>(refused);
  if (index < 0 || static_cast<size_t>(index) >= found.size()) {
    return fail(Error::Kind::not_found, "There is no such Vulkan device",
                "number " + std::to_string(index) + " was asked for, there are " + std::to_string(found.size()), "Choose another number");
  }
  const Candidate& chosen = found[static_cast<size_t>(index)];
  std::unique_ptr<Gpu> gpu(new Gpu(std::move(instance), chosen.abilities));
  const Loader& vk = gpu->instance_->loader();
  vk.GetPhysicalDeviceMemoryProperties(chosen.device, &gpu->memory_);

  Features wanted;
  wanted.v12.bufferDeviceAddress = wanted.v12.timelineSemaphore = VK_TRUE;
  wanted.v11.storageBuffer16BitAccess = VK_TRUE;
  const float priority = 1;
  VkDeviceQueueCreateInfo queue{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
  queue.queueFamilyIndex = chosen.abilities.queue_family, queue.queueCount = 1, queue.pQueuePriorities = &priority;
  VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
  info.pNext = &wanted.core, info.queueCreateInfoCount = 1, info.pQueueCreateInfos = &queue;
  MatrixFeatures matrices;
  if (!chosen.abilities.matrices.empty()) matrices.want(wanted.v12, info);
  const VkResult result = vk.CreateDevice(chosen.device, &info, nullptr, &gpu->device_);
  if (result != VK_SUCCESS) {
    return fail(Error::Kind::unsupported, "The graphics device does not open", chosen.abilities.name + ": " + result_name(result),
                "Close other programs that use it, or choose another device");
  }
  static_cast<DeviceFunctions&>(*gpu) = vk.load_device(gpu->device_);
  gpu->GetDeviceQueue(gpu->device_, chosen.abilities.queue_family, 0, &gpu->queue_);
  gpu->abilities_.subgroups = chosen.abilities.subgroups && settings().subgroups;
  return gpu;
}

Gpu::~Gpu() {
  if (device_) DestroyDevice(device_, nullptr);
}

}  // namespace lava::vulkan
