// Whether a device multiplies matrices by subgroups (VK_KHR_cooperative_matrix), and which.
#pragma once
#include <span>
#include <vector>

#include "kernels/vulkan/loader.h"
#include "kernels/vulkan/tiles.h"

namespace lava::vulkan {

// Of what a device offers, the products of float16 with float32 sums that a subgroup computes: 16 x 16 x 16 first, then the largest.
std::vector<MatrixShape> usable_shapes(std::span<const VkCooperativeMatrixPropertiesKHR> offered);

// The usable shapes of a device that has all that gemm_matrix.comp wants; none otherwise. The driver is Vulkan 1.2 at least.
std::vector<MatrixShape> device_shapes(const Loader& vk, VkPhysicalDevice device);

// What these shaders want of a device: features in a chain, and extensions.
struct MatrixFeatures {
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroups{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES};
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrices{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR, &subgroups, VK_FALSE, VK_FALSE};
  MatrixFeatures() = default;
  MatrixFeatures(const MatrixFeatures&) = delete;
  MatrixFeatures& operator=(const MatrixFeatures&) = delete;
  void want(VkPhysicalDeviceVulkan12Features& v12, VkDeviceCreateInfo& info);  // sets them, and hangs the chain behind `v12`
  static constexpr const char* extensions[] = {VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME};
};

}  // namespace lava::vulkan
