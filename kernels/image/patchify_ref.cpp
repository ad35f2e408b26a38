#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::reference {

void patchify(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const PatchifyArgs*>(args);
  const int64_t channels = a.channels(), h = a.height(), w = a.width(), p = a.patch, columns = w / p;
  const auto pixel = [&](int64_t c, int64_t y, int64_t x) {
    if (a.table.empty()) return a.x.as<float>()[(c * h + y) * w + x];
    return a.table.as<float>()[256 * c + a.x.as<uint8_t>()[(y * w + x) * channels + c]];
  };
  const auto [begin, end] = lane.share(a.out.extent[0]);
  for (int64_t i = begin; i < end; ++i) {
    float* out = a.out.as<float>() + i * a.out.extent[1];
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t y = 0; y < p; ++y) {
        for (int64_t k = 0; k < p; ++k) *out++ = pixel(c, i / columns * p + y, i % columns * p + k);
      }
    }
  }
}

}  // namespace lava::reference
