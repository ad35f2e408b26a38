#include "kernels/vulkan/encoder.h"

#include <cstring>

namespace lava::vulkan {

VkDeviceAddress Encoder::current(std::span<const std::byte> data) const {
  const Place place = context_.addresses.find(data.data(), data.size());
  if (recording_ || !place.allocation->mapped() || data.size() > current_bytes) return place.address();
  const Staged copy = context_.stream->stage(data.size());
  std::memcpy(copy.data, data.data(), data.size());
  return copy.address;
}

VkDeviceAddress Encoder::scratch(size_t bytes) const {
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
  return all.back()->address();
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
  gpu.CmdBindPipeline(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, *pipeline);
  gpu.CmdPushConstants(commands_, context_.pipelines->layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0, bytes, push);
  gpu.CmdDispatch(commands_, groups.x, groups.y, groups.z);
}

}  // namespace lava::vulkan
