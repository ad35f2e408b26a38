#include "kernels/cpu/simd.h"
#include "kernels/image/bilinear.h"
#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::LAVA_ISA {
namespace {

// out = a + (b - a) * weight
void blend(float* out, const float* a, const float* b, float weight, int64_t n) {
  const FloatVec w = splat(weight);
  map(n, out, [=](FloatVec x, FloatVec y) HWY_ATTR { return hn::MulAdd(hn::Sub(y, x), w, x); }, a, b);
}

// One output row from one blended input row.
void resize_row(float* out, const float* x, int64_t out_w, int64_t w, int64_t c) {
  for (int64_t ox = 0; ox < out_w; ++ox, out += c) {
    const BilinearTap tap = bilinear_tap(ox, out_w, w);
    const float *low = x + tap.low * c, *high = x + tap.high * c;
    if (c >= lanes) {
      blend(out, low, high, tap.weight, c);
      continue;
    }
    for (int64_t i = 0; i < c; ++i) out[i] = low[i] + (high[i] - low[i]) * tap.weight;
  }
}

// Rows too long for the scratch: four neighbours for each pixel.
void resize_row_directly(float* out, const float* top, const float* bottom, float weight, int64_t out_w, int64_t w, int64_t c) {
  for (int64_t ox = 0; ox < out_w; ++ox, out += c) {
    const BilinearTap tap = bilinear_tap(ox, out_w, w);
    for (int64_t i = 0; i < c; ++i) {
      const int64_t l = tap.low * c + i, h = tap.high * c + i;
      const float low = top[l] + (bottom[l] - top[l]) * weight, high = top[h] + (bottom[h] - top[h]) * weight;
      out[i] = low + (high - low) * tap.weight;
    }
  }
}

}  // namespace

void resize_bilinear(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const ResizeBilinearArgs*>(args);
  const int64_t h = a.x.extent[0], w = a.x.extent[1], c = a.x.extent[2], out_h = a.out.extent[0], out_w = a.out.extent[1];
  const bool fits = static_cast<size_t>(w * c) * sizeof(float) <= Lane::scratch_bytes;
  auto* blended = reinterpret_cast<float*>(lane.scratch);
  const auto [begin, end] = lane.share(out_h);
  for (int64_t oy = begin; oy < end; ++oy) {
    const BilinearTap tap = bilinear_tap(oy, out_h, h);
    const float *top = a.x.as<float>() + tap.low * w * c, *bottom = a.x.as<float>() + tap.high * w * c;
    float* out = a.out.as<float>() + oy * out_w * c;
    if (!fits) {
      resize_row_directly(out, top, bottom, tap.weight, out_w, w, c);
      continue;
    }
    blend(blended, top, bottom, tap.weight, w * c);
    resize_row(out, blended, out_w, w, c);
  }
}

}  // namespace lava::LAVA_ISA
