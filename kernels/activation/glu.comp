// out = act(gate) * up
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"

layout(push_constant) uniform Push {
  Floats out_, gate, up;
  uint rows, width, out_stride, gate_stride, up_stride, kind;
};

void main() {
  const uint at = invocation(), row = at / width, column = at % width;
  if (row >= rows) return;
  out_.v[row * out_stride + column] = activate(kind, gate.v[row * gate_stride + column]) * up.v[row * up_stride + column];
}
