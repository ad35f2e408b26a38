// out[i] = row ids[i] of the table, widened; one invocation per eight values.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "weights.glsl"

layout(push_constant) uniform Push {
  Floats out_;
  Words table;
  Ints ids;   // null: the id is step's token
  Step step;  // null: `token` holds
  int token;
  uint rows, width, out_stride;
};

void main() {
  const uint at = invocation(), j = at % 4, units = (width + 31) / 32, unit = at / 4 % units, row = at / 4 / units;
  if (row >= rows) return;
  const int id = uvec2(ids) != uvec2(0) ? ids.v[row] : uvec2(step) != uvec2(0) ? step.token : token;
  const Eight w = widen(table, uint(id), unit, j, width);
  const uint k = 32 * unit + 4 * j;
  for (uint i = 0; i < 4; ++i) {
    if (k + i < width) out_.v[row * out_stride + k + i] = w.a[i];
    if (k + 16 + i < width) out_.v[row * out_stride + k + 16 + i] = w.b[i];
  }
}
