// [channels, h, w] -> [patch, channel * y * x]; or from bytes [h, w, channels] by what they stand for.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(constant_id = 1) const bool bytes = false;

layout(push_constant) uniform Push {
  Floats out_, x, table;  // table [channels, 256]
  uint elements, channels, h, w, side, first;  // the first byte, in the first word
};

float byte_value(uint at, uint channel) {
  const uint byte = first + at, code = (Words(x).v[byte / 4] >> (8 * (byte & 3u))) & 255u;
  return table.v[256 * channel + code];
}

void main() {
  const uint at = invocation(), width = channels * side * side, columns = w / side;
  if (at >= elements) return;
  const uint patch_ = at / width, channel = at % width / (side * side), y = patch_ / columns * side + at / side % side, column = patch_ % columns * side + at % side;
  out_.v[at] = bytes ? byte_value((y * w + column) * channels + channel, channel) : x.v[(channel * h + y) * w + column];
}
