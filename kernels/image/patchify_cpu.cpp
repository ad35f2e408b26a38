#include "kernels/cpu/simd.h"
#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::LAVA_ISA {

void patchify(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const PatchifyArgs*>(args);
  const int64_t channels = a.x.extent[0], h = a.x.extent[1], w = a.x.extent[2], p = a.patch, columns = w / p;
  const auto [begin, end] = lane.share(a.out.extent[0]);
  for (int64_t i = begin; i < end; ++i) {
    float* out = a.out.as<float>() + i * a.out.extent[1];
    const float* corner = a.x.as<float>() + i / columns * p * w + i % columns * p;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t y = 0; y < p; ++y, out += p) std::memcpy(out, corner + (c * h + y) * w, static_cast<size_t>(p) * sizeof(float));
    }
  }
}

}  // namespace lava::LAVA_ISA
