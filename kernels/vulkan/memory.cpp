#include "kernels/vulkan/memory.h"

#include <sys/mman.h>

namespace lava::vulkan {
namespace {

constexpr VkMemoryPropertyFlags coherent = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

// The first type among `allowed` that has all of the first, else of the second wish and so on; -1: none.
int memory_type(const VkPhysicalDeviceMemoryProperties& memory, uint32_t allowed, std::initializer_list<VkMemoryPropertyFlags> wishes) {
  for (const VkMemoryPropertyFlags wish : wishes) {
    for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
      if ((allowed >> i & 1u) && (memory.memoryTypes[i].propertyFlags & wish) == wish) return static_cast<int>(i);
    }
  }
  return -1;
}

int memory_type_for(const Gpu& gpu, uint32_t allowed, Allocation::Kind kind) {
  const auto& memory = gpu.memory();
  if (kind == Allocation::Kind::host) return memory_type(memory, allowed, {coherent | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, coherent});
  if (kind == Allocation::Kind::device && gpu.abilities().integrated) {
    return memory_type(memory, allowed, {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | coherent, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT});
  }
  return memory_type(memory, allowed, {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT});
}

tl::unexpected<Error> refuse(size_t bytes, const char* cause) {
  return fail(Error::Kind::out_of_memory, "The graphics device has not enough memory",
              std::to_string(bytes >> 20) + " MiB could not be reserved" + (cause ? ": " + std::string(cause) : ""),
              "Close other programs that use it, or choose a smaller model or context");
}

}  // namespace

Result<std::unique_ptr<Allocation>> Allocation::create(Gpu& gpu, size_t bytes, Kind kind) {
  constexpr size_t least = 64;
  if (bytes > gpu.abilities().largest_allocation) return refuse(bytes, "the driver gives less at once");
  const size_t size = bytes < least ? least : (bytes + 3) / 4 * 4;  // shaders read bytes by the word
  std::unique_ptr<Allocation> made(new Allocation(gpu, size, kind));
  VkBufferCreateInfo info{VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.size = size;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
  VkResult result = gpu.CreateBuffer(gpu.device(), &info, nullptr, &made->buffer_);
  if (result != VK_SUCCESS) return refuse(bytes, result_name(result));
  VkMemoryRequirements requirements;
  gpu.GetBufferMemoryRequirements(gpu.device(), made->buffer_, &requirements);
  const int type = memory_type_for(gpu, requirements.memoryTypeBits, kind);
  if (type < 0) return refuse(bytes, "the driver has no memory of the kind");
  const VkMemoryType& chosen = gpu.memory().memoryTypes[type];
  if (requirements.size > gpu.memory().memoryHeaps[chosen.heapIndex].size) return refuse(bytes, "there is less in all");

  VkMemoryAllocateFlagsInfo flags{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO};
  flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
  VkMemoryAllocateInfo allocate{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
  allocate.pNext = &flags, allocate.allocationSize = requirements.size, allocate.memoryTypeIndex = static_cast<uint32_t>(type);
  result = gpu.AllocateMemory(gpu.device(), &allocate, nullptr, &made->memory_);
  if (result == VK_SUCCESS) result = gpu.BindBufferMemory(gpu.device(), made->buffer_, made->memory_, 0);
  void* address = nullptr;
  if (result == VK_SUCCESS && kind != Kind::unmapped && (chosen.propertyFlags & coherent) == coherent)
    result = gpu.MapMemory(gpu.device(), made->memory_, 0, VK_WHOLE_SIZE, 0, &address);
  if (result != VK_SUCCESS) return refuse(bytes, result_name(result));
  made->mapped_ = static_cast<std::byte*>(address);
  VkBufferDeviceAddressInfo where{VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO};
  where.buffer = made->buffer_;
  made->address_ = gpu.GetBufferDeviceAddress(gpu.device(), &where);
  return made;
}

Allocation::~Allocation() {
  if (buffer_) gpu_.DestroyBuffer(gpu_.device(), buffer_, nullptr);
  if (memory_) gpu_.FreeMemory(gpu_.device(), memory_, nullptr);  // unmaps it too
}

Reserved::Reserved(size_t bytes) : bytes_(bytes) {
  void* address = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address != MAP_FAILED) data_ = static_cast<std::byte*>(address);
}

Reserved::~Reserved() {
  if (data_) munmap(data_, bytes_);
}

Place AddressMap::find(const void* address, size_t bytes) const {
  const auto* at = static_cast<const std::byte*>(address);
  auto range = ranges_.upper_bound(at);
  LAVA_CHECK(range != ranges_.begin());  // a tensor that does not lie in memory of this device
  --range;
  const auto offset = static_cast<size_t>(at - range->first);
  LAVA_CHECK(offset < range->second->bytes() && bytes <= range->second->bytes() - offset);
  return {range->second, offset};
}

}  // namespace lava::vulkan
