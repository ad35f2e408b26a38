#include "kernels/norm/norm.h"
#include "kernels/norm/norm_vulkan.h"

namespace lava::vulkan {

void layer_norm(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const LayerNormArgs*>(args);
  const Rows out(a.out), x(a.x);
  const struct {
    VkDeviceAddress out, x, weight, bias;
    uint32_t rows, width, out_stride, x_stride;
    float eps;
  } push{encoder.address(a.out), encoder.address(a.x), encoder.address(a.weight), encoder.address(a.bias), u32(x.count), u32(x.width), u32(out.stride),
         u32(x.stride), a.eps};
  dispatch_rows(encoder, shaders::layer_norm, x, push);
}

}  // namespace lava::vulkan
