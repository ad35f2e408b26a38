// out = exp(x - max) / sum; one workgroup per row.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"
#include "reduce.glsl"

layout(push_constant) uniform Push {
  Floats out_, x;
  uint rows, width, out_stride, x_stride;
};

void main() {
  const uint first = gl_LocalInvocationID.x, step = gl_WorkGroupSize.x;
  for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
    const uint at = row * x_stride;
    float highest = x.v[at], sum = 0.0;
    for (uint i = first; i < width; i += step) highest = max(highest, x.v[at + i]);
    highest = workgroup_max(highest);
    for (uint i = first; i < width; i += step) sum += exp_exact(x.v[at + i] - highest);
    const float factor = 1.0 / workgroup_sum(sum);
    for (uint i = first; i < width; i += step) out_.v[row * out_stride + i] = exp_exact(x.v[at + i] - highest) * factor;
  }
}
