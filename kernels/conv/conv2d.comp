// One invocation per value of the result; channels of a pixel side by side, so weights and stores are read and written in runs.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"

layout(constant_id = 1) const bool depthwise = false;
layout(constant_id = 2) const bool has_bias = false;

layout(push_constant) uniform Push {
  Floats out_, x, weight, bias;
  uint elements, h, w, in_channels, out_w, channels, kernel_h, kernel_w, stride, pad_top, pad_left, kind;
};

void main() {
  const uint at = invocation();
  if (at >= elements) return;
  const uint channel = at % channels, ox = at / channels % out_w, oy = at / channels / out_w;
  float sum = has_bias ? bias.v[channel] : 0.0;
  for (uint ky = 0; ky < kernel_h; ++ky) {
    const uint y = oy * stride + ky - pad_top;  // wraps where it would be negative
    if (y >= h) continue;
    for (uint kx = 0; kx < kernel_w; ++kx) {
      const uint column = ox * stride + kx - pad_left, tap = ky * kernel_w + kx;
      if (column >= w) continue;
      const uint pixel = (y * w + column) * in_channels;
      if (depthwise) {
        sum += x.v[pixel + channel] * weight.v[tap * in_channels + channel];
      } else {
        for (uint c = 0; c < in_channels; ++c) sum += x.v[pixel + c] * weight.v[(tap * in_channels + c) * channels + channel];
      }
    }
  }
  out_.v[at] = activate(kind, sum);
}
