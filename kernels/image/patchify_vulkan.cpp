#include "kernels/image/image_ops.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void patchify(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const PatchifyArgs*>(args);
  const struct {
    VkDeviceAddress out, x;
    uint32_t elements, channels, h, w, side;
  } push{encoder.address(a.out), encoder.address(a.x), u32(a.out.elements()), u32(a.x.extent[0]), u32(a.x.extent[1]), u32(a.x.extent[2]), u32(a.patch)};
  encoder.dispatch_each(shaders::patchify, {}, a.out.elements(), push);
}

}  // namespace lava::vulkan
