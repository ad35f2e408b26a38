#include "kernels/activation/activate.h"
#include "kernels/rows.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void add(const void* args, Encoder& encoder) {
  const auto& p = *static_cast<const AddArgs*>(args);
  const Rows out(p.out), a(p.a), b(p.b);
  const struct {
    VkDeviceAddress out, a, b;
    uint32_t rows, width, out_stride, a_stride, b_stride;
  } push{encoder.address(p.out), encoder.address(p.a), encoder.address(p.b), u32(a.count), u32(a.width), u32(out.stride), u32(a.stride),
         b.count == a.count ? u32(b.stride) : 0};
  encoder.dispatch_each(shaders::add, {}, a.count * a.width, push);
}

}  // namespace lava::vulkan
