// Ops with one workgroup per row.
#pragma once
#include "kernels/rows.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

template <class Push>
void dispatch_rows(Encoder& encoder, const Shader& shader, const Rows& x, const Push& push) {
  constexpr int64_t most_groups = 65535;
  const uint32_t threads = std::min(x.width <= 64 ? 32u : x.width <= 512 ? 128u : 256u, encoder.tiles().threads);
  if (x.count > 0) encoder.dispatch(shader, threads, {}, {u32(std::min(x.count, most_groups)), 1, 1}, push);
}

}  // namespace lava::vulkan
