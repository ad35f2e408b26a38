#include "kernels/norm/norm.h"
#include "kernels/norm/norm_vulkan.h"

namespace lava::vulkan {

void softmax(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const SoftmaxArgs*>(args);
  const Rows out(a.out), x(a.x);
  const struct {
    VkDeviceAddress out, x;
    uint32_t rows, width, out_stride, x_stride;
  } push{encoder.address(a.out), encoder.address(a.x), u32(x.count), u32(x.width), u32(out.stride), u32(x.stride)};
  dispatch_rows(encoder, shaders::softmax, x, push);
}

}  // namespace lava::vulkan
