// Memory of the device, and the way from the addresses that tensors carry to those that shaders compute with.
#pragma once
#include <map>

#include "kernels/vulkan/gpu.h"

namespace lava::vulkan {

// A piece of memory with a buffer over all of it.
class Allocation {
 public:
  enum class Kind : uint8_t {
    host,     // mapped and coherent: the processor reads and writes it
    device,   // the device's own; mapped where that is the processor's anyway
    unmapped  // the device's own, never mapped
  };
  static Result<std::unique_ptr<Allocation>> create(Gpu& gpu, size_t bytes, Kind kind);
  ~Allocation();
  Allocation(const Allocation&) = delete;
  Allocation& operator=(const Allocation&) = delete;

  VkBuffer buffer() const { return buffer_; }
  VkDeviceAddress address() const { return address_; }
  std::byte* mapped() const { return mapped_; }  // nullptr: the processor does not reach it
  bool shared() const { return kind_ == Kind::host; }  // the processor may write it while ops wait; else all its changes are in the queue
  size_t bytes() const { return bytes_; }

 private:
  Allocation(Gpu& gpu, size_t bytes, Kind kind) : gpu_(gpu), bytes_(bytes), kind_(kind) {}
  Gpu& gpu_;
  size_t bytes_;
  Kind kind_;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  VkDeviceAddress address_ = 0;
  std::byte* mapped_ = nullptr;
};

// Addresses that nobody can touch, to stand for memory that is not mapped.
class Reserved {
 public:
  explicit Reserved(size_t bytes);
  ~Reserved();
  Reserved(const Reserved&) = delete;
  Reserved& operator=(const Reserved&) = delete;
  std::byte* data() const { return data_; }  // nullptr: the process has no addresses left

 private:
  std::byte* data_ = nullptr;
  size_t bytes_;
};

struct Place {
  const Allocation* allocation;
  size_t offset;
  VkDeviceAddress address() const { return allocation->address() + offset; }
};

class AddressMap {
 public:
  void add(const std::byte* begin, const Allocation& allocation) { ranges_.emplace(begin, &allocation); }
  void remove(const std::byte* begin) { ranges_.erase(begin); }
  // Where `bytes` bytes at `address` lie; the address must be of a buffer of this device.
  Place find(const void* address, size_t bytes = 1) const;

 private:
  std::map<const std::byte*, const Allocation*> ranges_;
};

}  // namespace lava::vulkan
