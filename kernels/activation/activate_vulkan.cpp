#include "kernels/activation/activate.h"
#include "kernels/rows.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void activate(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const ActivateArgs*>(args);
  const Rows out(a.out), x(a.x);
  const struct {
    VkDeviceAddress out, x;
    uint32_t rows, width, out_stride, x_stride, kind;
  } push{encoder.address(a.out), encoder.address(a.x), u32(x.count), u32(x.width), u32(out.stride), u32(x.stride), static_cast<uint32_t>(a.kind)};
  encoder.dispatch_each(shaders::activate, {}, x.count * x.width, push);
}

}  // namespace lava::vulkan
