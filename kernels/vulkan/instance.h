// A Vulkan instance, with the validation layers when $LAVASCOPE_VULKAN_VALIDATE is 1: they print what they find and count it.
#pragma once
#include <atomic>
#include <vector>

#include "kernels/vulkan/loader.h"

namespace lava::vulkan {

class Instance {
 public:
  static Result<std::unique_ptr<Instance>> create();
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const Loader& loader() const { return *loader_; }
  Result<std::vector<VkPhysicalDevice>> devices() const;
  int64_t messages() const { return messages_.load(); }  // of the validation layers, so far

 private:
  explicit Instance(std::unique_ptr<Loader> loader) : loader_(std::move(loader)) {}
  Result<void> start(bool validate);

  std::unique_ptr<Loader> loader_;
  VkInstance instance_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  std::atomic<int64_t> messages_{0};
};

}  // namespace lava::vulkan
