// Bilinear without antialiasing, half-pixel centres; coordinates as in bilinear.h, not contracted: a neighbour must not change.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(push_constant) uniform Push {
  Floats out_, x;
  uint elements, out_h, out_w, h, w, channels;
};

struct Tap {
  uint low, high;
  float weight;
};

Tap tap_of(uint position, uint outputs, uint inputs) {
  precise const float scale = float(inputs) / float(outputs);
  precise const float scaled = scale * (float(position) + 0.5);
  precise const float source = max(scaled - 0.5, 0.0);
  const uint low = min(uint(source), inputs - 1);
  return Tap(low, low + (low < inputs - 1 ? 1 : 0), source - float(low));
}

void main() {
  const uint at = invocation();
  if (at >= elements) return;
  const uint channel = at % channels;
  const Tap column = tap_of(at / channels % out_w, out_w, w), row = tap_of(at / channels / out_w, out_h, h);
  const float a = x.v[(row.low * w + column.low) * channels + channel], b = x.v[(row.low * w + column.high) * channels + channel];
  const float c = x.v[(row.high * w + column.low) * channels + channel], d = x.v[(row.high * w + column.high) * channels + channel];
  const float top = a * (1.0 - column.weight) + b * column.weight, bottom = c * (1.0 - column.weight) + d * column.weight;
  out_.v[at] = top * (1.0 - row.weight) + bottom * row.weight;
}
