// Mean over windows of side `side` with the same stride.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(push_constant) uniform Push {
  Floats out_, x;
  uint elements, out_width, width, channels, side;
};

void main() {
  const uint at = invocation();
  if (at >= elements) return;
  const uint channel = at % channels, column = at / channels % out_width, row = at / channels / out_width;
  float sum = 0.0;
  for (uint y = row * side; y < (row + 1) * side; ++y)
    for (uint k = column * side; k < (column + 1) * side; ++k) sum += x.v[(y * width + k) * channels + channel];
  out_.v[at] = sum / float(side * side);
}
