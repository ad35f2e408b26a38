#include "kernels/image/image_ops.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void pool_mean(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const PoolMeanArgs*>(args);
  const struct {
    VkDeviceAddress out, x;
    uint32_t elements, out_width, width, channels, side;
  } push{encoder.address(a.out), encoder.address(a.x), u32(a.out.elements()), u32(a.out.extent[1]), u32(a.x.extent[1]), u32(a.x.extent[2]), u32(a.size)};
  encoder.dispatch_each(shaders::pool_mean, {}, a.out.elements(), push);
}

}  // namespace lava::vulkan
