// What the host part of an op works with: it turns an argument struct into dispatches on a command buffer.
#pragma once
#include <algorithm>
#include <span>

#include "kernels/matrix.h"
#include "kernels/op.h"
#include "kernels/vulkan/context.h"

namespace lava::vulkan {

struct Groups {
  uint32_t x = 1, y = 1, z = 1;
};

class Encoder {
 public:
  // For one op: what its arguments say about reading and writing decides about the barrier before its first dispatch.
  Encoder(Context& context, VkCommandBuffer commands, bool recording, Hazards& hazards, const OpCall& call);

  bool recording() const { return recording_; }
  const Tiles& tiles() const { return context_.tiles; }
  // Where shaders find a tensor that the op's arguments visit, or its weights; 0 for an empty one.
  VkDeviceAddress address(const Tensor& t) const { return device_address(t.data); }
  VkDeviceAddress address(const Matrix& m);
  // Values that change per step: a recording reads them when it runs (an address), an eager op has them as they are now, for the
  // processor may write the next step's while the op still waits (0).
  VkDeviceAddress step(const StepParams* params) const { return recording_ ? device_address(params) : 0; }
  // As `data` is now, likewise: where shaders find the bytes. Once per op; what is longer than current_bytes must not change while the op waits.
  static constexpr size_t current_bytes = size_t{1} << 20;
  VkDeviceAddress current(std::span<const std::byte> data) const;
  VkDeviceAddress scratch(size_t bytes);  // until the op is done; 0 when there is no memory, which finish() reports

  // One dispatch. Those of an op may overlap unless a barrier() stands between; addresses are asked for before the first. `constants`: from constant_id 1 on.
  template <class Push>
  void dispatch(const Shader& shader, uint32_t threads, std::initializer_list<uint32_t> constants, Groups groups, const Push& push) {
    static_assert(sizeof(Push) <= push_bytes && std::is_trivially_copyable_v<Push>);
    run(shader, threads, constants, groups, &push, sizeof(Push));
  }
  // One invocation for each of `count` items, whose number the shader has from invocation().
  template <class Push>
  void dispatch_each(const Shader& shader, std::initializer_list<uint32_t> constants, int64_t count, const Push& push) {
    const uint32_t threads = tiles().threads;
    if (count > 0) dispatch(shader, threads, constants, folded((count + threads - 1) / threads), push);
  }
  void barrier();

 private:
  static constexpr size_t most_accesses = 32;
  static Groups folded(int64_t groups);
  VkDeviceAddress device_address(const void* host) const { return host ? context_.addresses.find(host).address() : 0; }
  void note(const Access& access);
  void run(const Shader& shader, uint32_t threads, std::initializer_list<uint32_t> constants, Groups groups, const void* push, uint32_t bytes);

  Context& context_;
  VkCommandBuffer commands_;
  bool recording_;
  Hazards& hazards_;
  std::array<Access, most_accesses> accesses_;
  size_t access_count_ = 0;
  bool added_ = false;  // to hazards_, since the last barrier
};

// The host part of an op; `args` points at its argument struct.
using Encode = void (*)(const void* args, Encoder& encoder);
extern const Encode encoders[];  // by OpId, generated

inline uint32_t u32(int64_t value) {
  LAVA_CHECK(value >= 0 && value <= UINT32_MAX);
  return static_cast<uint32_t>(value);
}

}  // namespace lava::vulkan
