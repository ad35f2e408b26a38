#include "kernels/cuda/device_math.cuh"
#include "kernels/image/image_ops.h"

namespace lava::cuda {
namespace {

struct Image {
  int64_t h, w, c;
};

struct Tap {
  int64_t low, high;
  float weight;
};

// As bilinear_tap() of kernels/image/bilinear.h: no fused multiply-add, which would move a coordinate to another pixel.
__device__ Tap tap_of(int64_t output, int64_t outputs, int64_t inputs) {
  const float scale = __fdiv_rn(static_cast<float>(inputs), static_cast<float>(outputs));
  const float centre = __fsub_rn(__fmul_rn(scale, __fadd_rn(static_cast<float>(output), 0.5f)), 0.5f);
  const float source = centre < 0 ? 0 : centre;
  int64_t low = static_cast<int64_t>(source);
  if (low > inputs - 1) low = inputs - 1;
  return {low, low + (low < inputs - 1 ? 1 : 0), source - static_cast<float>(low)};
}

// A thread per value of out [h, w, c].
__global__ void resize_bilinear_kernel(float* out, Image to, const float* x, Image from) {
  const int64_t i = global_index();
  if (i >= to.h * to.w * to.c) return;
  const int64_t channel = i % to.c;
  const Tap row = tap_of(i / to.c / to.w, to.h, from.h), column = tap_of(i / to.c % to.w, to.w, from.w);
  const auto at = [&](int64_t y, int64_t xx) { return x[(y * from.w + xx) * from.c + channel]; };
  const float top = at(row.low, column.low) * (1.0f - column.weight) + at(row.low, column.high) * column.weight;
  const float bottom = at(row.high, column.low) * (1.0f - column.weight) + at(row.high, column.high) * column.weight;
  out[i] = top * (1.0f - row.weight) + bottom * row.weight;
}

Image image_of(const Tensor& t) { return {t.extent[0], t.extent[1], t.extent[2]}; }

}  // namespace

void resize_bilinear(const void* args, Stream& stream) {
  const auto& a = *static_cast<const ResizeBilinearArgs*>(args);
  constexpr int threads = 256;
  launch(stream, resize_bilinear_kernel, blocks_for(a.out.elements(), threads), threads, 0, a.out.as<float>(), image_of(a.out), a.x.as<float>(), image_of(a.x));
}

}  // namespace lava::cuda
