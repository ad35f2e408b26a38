#include "kernels/image/bilinear.h"
#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::reference {

void resize_bilinear(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const ResizeBilinearArgs*>(args);
  const int64_t h = a.x.extent[0], w = a.x.extent[1], c = a.x.extent[2], out_h = a.out.extent[0], out_w = a.out.extent[1];
  const float* x = a.x.as<float>();
  const auto [begin, end] = lane.share(out_h);
  for (int64_t oy = begin; oy < end; ++oy) {
    const BilinearTap row = bilinear_tap(oy, out_h, h);
    for (int64_t ox = 0; ox < out_w; ++ox) {
      const BilinearTap column = bilinear_tap(ox, out_w, w);
      for (int64_t i = 0; i < c; ++i) {
        const auto at = [&](int64_t y, int64_t xx) { return static_cast<double>(x[(y * w + xx) * c + i]); };
        const double top = at(row.low, column.low) * (1.0 - column.weight) + at(row.low, column.high) * column.weight;
        const double bottom = at(row.high, column.low) * (1.0 - column.weight) + at(row.high, column.high) * column.weight;
        a.out.as<float>()[(oy * out_w + ox) * c + i] = static_cast<float>(top * (1.0 - row.weight) + bottom * row.weight);
      }
    }
  }
}

}  // namespace lava::reference
