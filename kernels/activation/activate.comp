// out = act(x)
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"

layout(push_constant) uniform Push {
  Floats out_, x;
  uint rows, width, out_stride, x_stride, kind;
};

void main() {
  const uint at = invocation(), row = at / width, column = at % width;
  if (row >= rows) return;
  out_.v[row * out_stride + column] = activate(kind, x.v[row * x_stride + column]);
}
