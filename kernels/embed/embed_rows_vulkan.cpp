#include "kernels/embed/embed_rows.h"

#include "kernels/linear/matrix_vulkan.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void embed_rows(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const EmbedRowsArgs*>(args);
  check_matrix(a.table);
  const int64_t rows = a.out.extent[0], units = (a.table.in + 31) / 32;
  const bool given = !a.ids.empty();
  const struct {
    VkDeviceAddress out, table, ids, step;
    int32_t token;
    uint32_t rows, width, out_stride;
  } push{encoder.address(a.out),
         encoder.address(a.table),
         given ? encoder.current({a.ids.data, a.ids.bytes()}) : 0,
         given ? 0 : encoder.step(a.step),
         given || encoder.recording() ? 0 : a.step->token,
         u32(rows),
         u32(a.table.in),
         u32(a.out.stride[0])};
  const uint32_t format = static_cast<uint32_t>(a.table.format), interleaved = a.table.layout == MatrixLayout::interleaved16;
  encoder.dispatch_each(shaders::embed_rows, {format, interleaved, reads_fours(a.table, push.table)}, rows * units * 4, push);
}

}  // namespace lava::vulkan
