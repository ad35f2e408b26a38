#include "kernels/vulkan/encoder.h"

#include <cstring>
#include <utility>

namespace lava::vulkan {

Encoder::Encoder(Context& context, VkCommandBuffer commands, bool recording, Hazards& hazards, const OpCall& call)
    : context_(context), commands_(commands), recording_(recording), hazards_(hazards) {
  struct Notes : TensorVisitor {
    explicit Notes(Encoder& encoder) : encoder(encoder) {}
    void read(Tensor& t) override { encoder.note(access_of(t, false)); }
    void written(Tensor& t) override { encoder.note(access_of(t, true)); }
    Encoder& encoder;
  } notes(*this);
  op_info(call.id).visit(const_cast<void*>(call.args), notes);  // which changes nothing in them
}

void Encoder::note(const Access& access) {
  if (access.begin == access.end) return;
  LAVA_CHECK(!added_ && access_count_ < accesses_.size());
  accesses_[access_count_++] = access;
}

VkDeviceAddress Encoder::address(const Matrix& m) {
  if (m.empty()) return 0;
  note({m.data, m.data + packed_bytes(m.format, m.layout, m.out, m.in), false});
  return device_address(m.data);
}

VkDeviceAddress Encoder::current(std::span<const std::byte> data) const {
  const Place place = context_.addresses.find(data.data(), data.size());
  if (recording_ || !place.allocation->shared() || data.size() > current_bytes) return place.address();
  const Staged copy = context_.stream->stage(data.size());
  std::memcpy(copy.data, data.data(), data.size());
  return copy.address;
}

VkDeviceAddress Encoder::scratch(size_t bytes) {
  auto& all = context_.scratch;
  if (all.empty() || all.back()->bytes() < bytes) {
    constexpr size_t least = size_t{1} << 20;
    auto more = Allocation::create(*context_.gpu, std::max(least, 2 * bytes), Allocation::Kind::unmapped);
    if (!more) {
      context_.stream->fail_with(more.error());
      return 0;
    }
    all.push_back(std::move(*more));
  }
  // The processor never reaches scratch; the address of the object that keeps it, which no tensor has, stands for it.
  const auto* stands = reinterpret_cast<const std::byte*>(all.back().get());
  note({stands, stands + 1, true});
  return all.back()->address();
}

void Encoder::barrier() {
  full_barrier(*context_.gpu, commands_);
  hazards_.barrier();
  added_ = false;
}

Groups Encoder::folded(int64_t groups) {
  constexpr int64_t limit = 65535;
  const int64_t y = (groups + limit - 1) / limit;
  return {u32((groups + y - 1) / y), u32(y), 1};
}

void Encoder::run(const Shader& shader, uint32_t threads, std::initializer_list<uint32_t> constants, Groups groups, const void* push, uint32_t bytes) {
  Constants all{threads};
  LAVA_CHECK(constants.size() < all.size());
  std::copy(constants.begin(), constants.end(), all.begin() + 1);
  const auto pipeline = context_.pipelines->get(shader, all);
  if (!pipeline) return context_.stream->fail_with(pipeline.error());
  if (context_.stream->failed()) return;
  const Gpu& gpu = *context_.gpu;
  if (!std::exchange(added_, true) && hazards_.add({accesses_.data(), access_count_})) full_barrier(gpu, commands_);
  gpu.CmdBindPipeline(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, *pipeline);
  gpu.CmdPushConstants(commands_, context_.pipelines->layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0, bytes, push);
  gpu.CmdDispatch(commands_, groups.x, groups.y, groups.z);
}

}  // namespace lava::vulkan
