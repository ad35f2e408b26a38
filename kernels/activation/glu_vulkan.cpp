#include "kernels/activation/activate.h"
#include "kernels/rows.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void glu(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const GluArgs*>(args);
  const Rows out(a.out), gate(a.gate), up(a.up);
  const struct {
    VkDeviceAddress out, gate, up;
    uint32_t rows, width, out_stride, gate_stride, up_stride, kind;
  } push{encoder.address(a.out), encoder.address(a.gate), encoder.address(a.up), u32(gate.count), u32(gate.width),
         u32(out.stride),        u32(gate.stride),        u32(up.stride),        static_cast<uint32_t>(a.kind)};
  encoder.dispatch_each(shaders::glu, {}, gate.count * gate.width, push);
}

}  // namespace lava::vulkan
