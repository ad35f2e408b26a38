// What gemm_matrix.comp multiplies rows of x (times the gain) and rows of a matrix by, so that the largest of each is between 2^14 and 2^15 as
// float16: nothing becomes infinite, and what is up to 2^28 times smaller keeps all its bits. A workgroup takes 16 rows, of x first; 64 invocations take a unit of 32 values.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "weights.glsl"

layout(constant_id = 4) const bool normed = false;

layout(push_constant) uniform Push {
  Floats x, gain;
  Words weight;
  Ints x_powers, w_powers;
  uint rows, in_, outputs, x_stride;  // rows 0: x is known already
};

#include "product.glsl"

shared float largest[gl_WorkGroupSize.x];

float largest_of(vec4 v) { return max(max(abs(v.x), abs(v.y)), max(abs(v.z), abs(v.w))); }

Eight part_of_x(uint row, uint unit, uint j) {
  const uint at = min(row, rows - 1) * x_stride, k = 32 * unit + 4 * j;
  Eight part = Eight(four_floats(x, at, k, in_), four_floats(x, at, k + 16, in_));
  if (normed) part.a *= four_floats(gain, 0, k, in_), part.b *= four_floats(gain, 0, k + 16, in_);
  return part;
}

// 0 and what lies below the range of float32 take the largest that there is. Infinities stay what they are.
int power_for(float value) { return clamp(14 + 127 - int(floatBitsToUint(value) >> 23), -126, 126); }

void main() {
  const uint t = gl_LocalInvocationID.x, slices = gl_WorkGroupSize.x / 64, x_groups = (rows + 15) / 16;
  const bool of_x = gl_WorkGroupID.x < x_groups, side_by_side = interleaved && !of_x;
  const uint first = 16 * (of_x ? gl_WorkGroupID.x : gl_WorkGroupID.x - x_groups);
  const Part part = side_by_side ? part_of(t % 64) : Part(t % 64 / 4, t % 4);
  float value = 0.0;
  for (uint unit = t / 64; unit < unit_count(); unit += slices) {
    Eight eight;
    if (of_x) eight = part_of_x(first + part.row, unit, part.j);
    else eight = widen(weight, min(first + part.row, last_row(outputs)), unit, part.j, in_);
    value = max(value, max(largest_of(eight.a), largest_of(eight.b)));
  }
  largest[t] = value;
  barrier();
  if (t >= 16 || first + t >= (of_x ? rows : outputs)) return;
  value = 0.0;
  for (uint i = 0; i < 4 * slices; ++i) value = max(value, largest[side_by_side ? 16 * i + t : 64 * (i / 4) + 4 * t + i % 4]);
  if (of_x) x_powers.v[first + t] = power_for(value);
  else w_powers.v[first + t] = power_for(value);
}
