#include "kernels/image/image_ops.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void patchify(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const PatchifyArgs*>(args);
  const VkDeviceAddress x = encoder.address(a.x);
  const struct {
    VkDeviceAddress out, x, table;
    uint32_t elements, channels, h, w, side, first;
  } push{encoder.address(a.out), x / 4 * 4,        encoder.address(a.table), u32(a.out.elements()), u32(a.channels()), u32(a.height()),
         u32(a.width()),         u32(a.patch), static_cast<uint32_t>(x % 4)};
  encoder.dispatch_each(shaders::patchify, {!a.table.empty()}, a.out.elements(), push);
}

}  // namespace lava::vulkan
