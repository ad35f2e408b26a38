#include "kernels/image/image_ops.h"
#include "kernels/vulkan/encoder.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {
namespace {

// Axes of a tensor behind each other, leading ones of extent 1 and stride 0.
void put_axes(const Tensor& t, int32_t* extent, int32_t* stride) {
  for (int i = 0; i < t.rank; ++i) {
    const int axis = 4 - t.rank + i;
    LAVA_CHECK(t.stride[i] >= INT32_MIN && t.stride[i] <= INT32_MAX);
    extent[axis] = t.extent[i], stride[axis] = static_cast<int32_t>(t.stride[i]);
  }
}

}  // namespace

void copy_rows(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const CopyRowsArgs*>(args);
  struct {
    VkDeviceAddress out, x;
    int32_t extent[4] = {1, 1, 1, 1}, out_stride[4] = {}, x_stride[4] = {};
  } push{encoder.address(a.out), encoder.address(a.x)};
  put_axes(a.out, push.extent, push.out_stride);
  put_axes(a.x, push.extent, push.x_stride);
  encoder.dispatch_each(shaders::copy_rows, {}, a.x.elements(), push);
}

}  // namespace lava::vulkan
