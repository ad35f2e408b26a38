#include "kernels/conv/conv2d.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void conv2d(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const Conv2dArgs*>(args);
  const struct {
    VkDeviceAddress out, x, weight, bias;
    uint32_t elements, h, w, in_channels, out_w, channels, kernel_h, kernel_w, stride, pad_top, pad_left, kind;
  } push{encoder.address(a.out),
         encoder.address(a.x),
         encoder.address(a.weight),
         encoder.address(a.bias),
         u32(a.out.elements()),
         u32(a.x.extent[0]),
         u32(a.x.extent[1]),
         u32(a.x.extent[2]),
         u32(a.out.extent[1]),
         u32(a.out.extent[2]),
         u32(a.weight.extent[0]),
         u32(a.weight.extent[1]),
         u32(a.stride),
         u32(a.pad_top),
         u32(a.pad_left),
         static_cast<uint32_t>(a.activation)};
  encoder.dispatch_each(shaders::conv2d, {a.depthwise, !a.bias.empty()}, a.out.elements(), push);
}

}  // namespace lava::vulkan
