#include "kernels/image/image_ops.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void resize_bilinear(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const ResizeBilinearArgs*>(args);
  const struct {
    VkDeviceAddress out, x;
    uint32_t elements, out_h, out_w, h, w, channels;
  } push{encoder.address(a.out), encoder.address(a.x), u32(a.out.elements()), u32(a.out.extent[0]), u32(a.out.extent[1]),
         u32(a.x.extent[0]),     u32(a.x.extent[1]),   u32(a.x.extent[2])};
  encoder.dispatch_each(shaders::resize_bilinear, {}, a.out.elements(), push);
}

}  // namespace lava::vulkan
