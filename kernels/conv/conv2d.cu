#include "kernels/conv/conv2d.h"

#include "kernels/cuda/device_math.cuh"

namespace lava::cuda {
namespace {

struct Conv {
  float* out;
  const float *x, *weight, *bias;
  int64_t h, w, channels, out_h, out_w, out_channels, kh, kw, stride, pad_top, pad_left;
  bool depthwise;
  Activation activation;
};

// A thread per output value; neighbours share a pixel and read weights side by side.
__global__ void conv2d_kernel(Conv a) {
  const int64_t i = global_index();
  if (i >= a.out_h * a.out_w * a.out_channels) return;
  const int64_t oc = i % a.out_channels, ox = i / a.out_channels % a.out_w, oy = i / a.out_channels / a.out_w;
  float sum = a.bias ? a.bias[oc] : 0.0f;
  for (int64_t ky = 0; ky < a.kh; ++ky) {
    for (int64_t kx = 0; kx < a.kw; ++kx) {
      const int64_t y = oy * a.stride - a.pad_top + ky, column = ox * a.stride - a.pad_left + kx, tap = ky * a.kw + kx;
      if (y < 0 || y >= a.h || column < 0 || column >= a.w) continue;
      const float* pixel = a.x + (y * a.w + column) * a.channels;
      if (a.depthwise) {
        sum += pixel[oc] * a.weight[tap * a.channels + oc];
        continue;
      }
      for (int64_t c = 0; c < a.channels; ++c) sum += pixel[c] * a.weight[(tap * a.channels + c) * a.out_channels + oc];
    }
  }
  a.out[i] = apply(a.activation, sum);
}

}  // namespace

void conv2d(const void* args, Stream& stream) {
  const auto& a = *static_cast<const Conv2dArgs*>(args);
  const Conv conv{a.out.as<float>(), a.x.as<float>(), a.weight.as<float>(), a.bias.empty() ? nullptr : a.bias.as<float>(),
                  a.x.extent[0], a.x.extent[1], a.x.extent[2], a.out.extent[0], a.out.extent[1], a.out.extent[2],
                  a.weight.extent[0], a.weight.extent[1], a.stride, a.pad_top, a.pad_left, a.depthwise, a.activation};
  constexpr int threads = 128;
  launch(stream, conv2d_kernel, blocks_for(a.out.elements(), threads), threads, 0, conv);
}

}  // namespace lava::cuda
