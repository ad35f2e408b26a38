#include "kernels/vulkan/matrices.h"

#include <algorithm>
#include <string_view>
#include <tuple>

namespace lava::vulkan {
namespace {

bool has_extensions(const Loader& vk, VkPhysicalDevice device) {
  uint32_t count = 0;
  if (vk.EnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkExtensionProperties> all(count);
  if (count == 0 || vk.EnumerateDeviceExtensionProperties(device, nullptr, &count, all.data()) != VK_SUCCESS) return false;
  all.resize(count);
  return std::ranges::all_of(MatrixFeatures::extensions, [&](std::string_view name) {
    return std::ranges::any_of(all, [&](const VkExtensionProperties& one) { return name == one.extensionName; });
  });
}

bool has_features(const Loader& vk, VkPhysicalDevice device) {
  MatrixFeatures wanted;
  VkPhysicalDeviceVulkan12Features v12{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceFeatures2 core{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
  core.pNext = &v12, v12.pNext = &wanted.matrices;
  vk.GetPhysicalDeviceFeatures2(device, &core);
  return v12.vulkanMemoryModel && v12.shaderFloat16 && wanted.matrices.cooperativeMatrix && wanted.subgroups.subgroupSizeControl && wanted.subgroups.computeFullSubgroups;
}

// Whether a pipeline may ask for subgroups of the size that the device tells of itself, and for as many as a tile has.
bool has_subgroups(const Loader& vk, VkPhysicalDevice device) {
  VkPhysicalDeviceSubgroupSizeControlProperties control{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
  VkPhysicalDeviceVulkan11Properties v11{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES};
  VkPhysicalDeviceProperties2 core{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  core.pNext = &v11, v11.pNext = &control;
  vk.GetPhysicalDeviceProperties2(device, &core);
  return (control.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) && control.minSubgroupSize <= v11.subgroupSize && v11.subgroupSize <= control.maxSubgroupSize &&
         control.maxComputeWorkgroupSubgroups >= most_matrix_threads / std::max(v11.subgroupSize, 1u);
}

bool usable(const VkCooperativeMatrixPropertiesKHR& p) {
  return p.AType == VK_COMPONENT_TYPE_FLOAT16_KHR && p.BType == VK_COMPONENT_TYPE_FLOAT16_KHR && p.CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
         p.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && p.scope == VK_SCOPE_SUBGROUP_KHR && possible(MatrixShape{p.MSize, p.NSize, p.KSize});
}

}  // namespace

void MatrixFeatures::want(VkPhysicalDeviceVulkan12Features& v12, VkDeviceCreateInfo& info) {
  v12.vulkanMemoryModel = v12.shaderFloat16 = VK_TRUE;
  matrices.cooperativeMatrix = subgroups.subgroupSizeControl = subgroups.computeFullSubgroups = VK_TRUE;
  v12.pNext = &matrices;
  info.enabledExtensionCount = std::size(extensions), info.ppEnabledExtensionNames = extensions;
}

std::vector<MatrixShape> usable_shapes(std::span<const VkCooperativeMatrixPropertiesKHR> offered) {
  std::vector<MatrixShape> shapes;
  for (const auto& p : offered) {
    const MatrixShape shape{p.MSize, p.NSize, p.KSize};
    if (usable(p) && std::ranges::find(shapes, shape) == shapes.end()) shapes.push_back(shape);
  }
  const auto rank = [](const MatrixShape& s) { return std::tuple(s == MatrixShape{16, 16, 16}, s.m * s.n * s.k); };
  std::ranges::stable_sort(shapes, std::ranges::greater(), rank);
  return shapes;
}

std::vector<MatrixShape> device_shapes(const Loader& vk, VkPhysicalDevice device) {
  if (!vk.GetPhysicalDeviceCooperativeMatrixPropertiesKHR || !has_extensions(vk, device) || !has_features(vk, device) || !has_subgroups(vk, device)) return {};
  uint32_t count = 0;
  if (vk.GetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, &count, nullptr) != VK_SUCCESS) return {};
  std::vector<VkCooperativeMatrixPropertiesKHR> offered(count, {VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR});
  if (count == 0 || vk.GetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, &count, offered.data()) != VK_SUCCESS) return {};
  offered.resize(count);
  return usable_shapes(offered);
}

}  // namespace lava::vulkan
