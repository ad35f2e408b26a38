#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::reference {

void patchify(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const PatchifyArgs*>(args);
  const int64_t channels = a.x.extent[0], h = a.x.extent[1], w = a.x.extent[2], p = a.patch, columns = w / p;
  const float* x = a.x.as<float>();
  const auto [begin, end] = lane.share(a.out.extent[0]);
  for (int64_t i = begin; i < end; ++i) {
    float* out = a.out.as<float>() + i * a.out.extent[1];
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t y = 0; y < p; ++y) {
        for (int64_t k = 0; k < p; ++k) *out++ = x[(c * h + i / columns * p + y) * w + i % columns * p + k];
      }
    }
  }
}

}  // namespace lava::reference
