// A logical device with its one queue, and what it can do. Everything else of this backend works on it.
#pragma once
#include "kernels/module.h"
#include "kernels/vulkan/instance.h"
#include "kernels/vulkan/tiles.h"

namespace lava::vulkan {

struct Abilities {
  std::string name, driver;  // driver: its own name and version
  uint8_t device_uuid[VK_UUID_SIZE];
  uint32_t driver_version = 0, vendor = 0, model = 0;
  bool subgroups = false;   // arithmetic in compute
  bool integrated = false;  // its memory is the processor's
  bool software = false;
  uint64_t memory = 0;      // of its largest local heap
  uint64_t largest_allocation = 0;
  uint32_t queue_family = 0;
  Limits limits;
  std::vector<MatrixShape> matrices;  // that subgroups multiply, best first
};

class Gpu : public DeviceFunctions {
 public:
  static Result<std::unique_ptr<Gpu>> open(int index);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  VkDevice device() const { return device_; }
  VkQueue queue() const { return queue_; }
  const Abilities& abilities() const { return abilities_; }
  const Instance& instance() const { return *instance_; }
  const VkPhysicalDeviceMemoryProperties& memory() const { return memory_; }

 private:
  Gpu(std::unique_ptr<Instance> instance, Abilities abilities) : instance_(std::move(instance)), abilities_(std::move(abilities)) {}

  std::unique_ptr<Instance> instance_;
  Abilities abilities_;
  VkPhysicalDeviceMemoryProperties memory_{};
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
};

Result<std::vector<ModuleDevice>> list_devices();

}  // namespace lava::vulkan
