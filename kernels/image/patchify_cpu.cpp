#include "kernels/cpu/simd.h"
#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::LAVA_ISA {
namespace {

// One patch with its upper left pixel at (y, x).
void cut_floats(const PatchifyArgs& a, int64_t y, int64_t x, float* out) {
  const int64_t channels = a.channels(), h = a.height(), w = a.width(), p = a.patch;
  const float* corner = a.x.as<float>() + y * w + x;
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t j = 0; j < p; ++j, out += p) std::memcpy(out, corner + (c * h + j) * w, static_cast<size_t>(p) * sizeof(float));
  }
}

void cut_bytes(const PatchifyArgs& a, int64_t y, int64_t x, float* out) {
  const int64_t channels = a.channels(), w = a.width(), p = a.patch;
  const uint8_t* corner = a.x.as<uint8_t>() + (y * w + x) * channels;
  for (int64_t c = 0; c < channels; ++c) {
    const float* value = a.table.as<float>() + 256 * c;
    for (int64_t j = 0; j < p; ++j) {
      const uint8_t* row = corner + j * w * channels + c;
      for (int64_t i = 0; i < p; ++i) *out++ = value[row[i * channels]];
    }
  }
}

}  // namespace

void patchify(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const PatchifyArgs*>(args);
  const int64_t p = a.patch, columns = a.width() / p;
  const auto cut = a.table.empty() ? &cut_floats : &cut_bytes;
  const auto [begin, end] = lane.share(a.out.extent[0]);
  for (int64_t i = begin; i < end; ++i) cut(a, i / columns * p, i % columns * p, a.out.as<float>() + i * a.out.extent[1]);
}

}  // namespace lava::LAVA_ISA
