#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::reference {

void pool_mean(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const PoolMeanArgs*>(args);
  const int64_t w = a.x.extent[1], c = a.x.extent[2], out_w = a.out.extent[1], size = a.size;
  const float* x = a.x.as<float>();
  const auto [begin, end] = lane.share(a.out.extent[0]);
  for (int64_t oy = begin; oy < end; ++oy) {
    for (int64_t ox = 0; ox < out_w; ++ox) {
      for (int64_t i = 0; i < c; ++i) {
        double sum = 0;
        for (int64_t y = oy * size; y < (oy + 1) * size; ++y) {
          for (int64_t k = ox * size; k < (ox + 1) * size; ++k) sum += x[(y * w + k) * c + i];
        }
        a.out.as<float>()[(oy * out_w + ox) * c + i] = static_cast<float>(sum / static_cast<double>(size * size));
      }
    }
  }
}

}  // namespace lava::reference
