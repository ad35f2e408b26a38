#include "kernels/activation/scalar.h"
#include "kernels/conv/conv2d.h"
#include "kernels/lane.h"

namespace lava::reference {
namespace {

double at_output(const Conv2dArgs& a, int64_t oy, int64_t ox, int64_t oc) {
  const int64_t h = a.x.extent[0], w = a.x.extent[1], channels = a.x.extent[2], out_channels = a.out.extent[2], kw = a.weight.extent[1];
  const float *x = a.x.as<float>(), *weight = a.weight.as<float>();
  double sum = a.bias.empty() ? 0 : a.bias.as<float>()[oc];
  for (int64_t ky = 0; ky < a.weight.extent[0]; ++ky) {
    for (int64_t kx = 0; kx < kw; ++kx) {
      const int64_t y = oy * a.stride - a.pad_top + ky, column = ox * a.stride - a.pad_left + kx, tap = ky * kw + kx;
      if (y < 0 || y >= h || column < 0 || column >= w) continue;
      const float* pixel = x + (y * w + column) * channels;
      if (a.depthwise) {
        sum += static_cast<double>(pixel[oc]) * weight[tap * channels + oc];
        continue;
      }
      for (int64_t c = 0; c < channels; ++c) sum += static_cast<double>(pixel[c]) * weight[(tap * channels + c) * out_channels + oc];
    }
  }
  return sum;
}

}  // namespace

void conv2d(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const Conv2dArgs*>(args);
  const int64_t width = a.out.extent[1], channels = a.out.extent[2];
  const auto [begin, end] = lane.share(a.out.extent[0]);
  for (int64_t y = begin; y < end; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        a.out.as<float>()[(y * width + x) * channels + c] = static_cast<float>(apply(a.activation, at_output(a, y, x, c)));
      }
    }
  }
}

}  // namespace lava::reference
