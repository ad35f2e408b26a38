// out = (x - mean) / sqrt(var + eps) * weight + bias; one workgroup per row.
// The mean is taken twice: what the first leaves out is found in the differences, or a mean far from zero would cost digits.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "reduce.glsl"

layout(push_constant) uniform Push {
  Floats out_, x, weight, bias;
  uint rows, width, out_stride, x_stride;
  float eps;
};

void main() {
  const uint first = gl_LocalInvocationID.x, step = gl_WorkGroupSize.x;
  for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
    const uint at = row * x_stride;
    float sum = 0.0, rest = 0.0, squares = 0.0;
    for (uint i = first; i < width; i += step) sum += x.v[at + i];
    const float rough = workgroup_sum(sum) / float(width);
    for (uint i = first; i < width; i += step) rest += x.v[at + i] - rough;
    const float left = workgroup_sum(rest) / float(width);
    for (uint i = first; i < width; i += step) {
      const float distance = (x.v[at + i] - rough) - left;
      squares += distance * distance;
    }
    const float factor = 1.0 / sqrt(workgroup_sum(squares) / float(width) + eps);
    for (uint i = first; i < width; i += step)
      out_.v[row * out_stride + i] = ((x.v[at + i] - rough) - left) * factor * weight.v[i] + bias.v[i];
  }
}
