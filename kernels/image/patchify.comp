// [channels, h, w] -> [patch, channel * y * x]
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(push_constant) uniform Push {
  Floats out_, x;
  uint elements, channels, h, w, side;
};

void main() {
  const uint at = invocation(), width = channels * side * side, columns = w / side;
  if (at >= elements) return;
  const uint patch_ = at / width, channel = at % width / (side * side), y = at / side % side, column = at % side;
  out_.v[at] = x.v[(channel * h + patch_ / columns * side + y) * w + patch_ % columns * side + column];
}
