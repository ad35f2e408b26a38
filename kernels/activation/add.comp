// out = a + b; b_stride 0: one row for all.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(push_constant) uniform Push {
  Floats out_, a, b;
  uint rows, width, out_stride, a_stride, b_stride;
};

void main() {
  const uint at = invocation(), row = at / width, column = at % width;
  if (row >= rows) return;
  out_.v[row * out_stride + column] = a.v[row * a_stride + column] + b.v[row * b_stride + column];
}
