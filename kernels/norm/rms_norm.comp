// out = x / sqrt(mean(x^2) + eps) * weight; one workgroup per row.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "reduce.glsl"

layout(push_constant) uniform Push {
  Floats out_, x, weight;
  uint rows, width, out_stride, x_stride;
  float eps;
};

void main() {
  for (uint row = gl_WorkGroupID.x; row < rows; row += gl_NumWorkGroups.x) {
    float sum = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < width; i += gl_WorkGroupSize.x) {
      const float value = x.v[row * x_stride + i];
      sum += value * value;
    }
    const float factor = 1.0 / sqrt(workgroup_sum(sum) / float(width) + eps);
    for (uint i = gl_LocalInvocationID.x; i < width; i += gl_WorkGroupSize.x)
      out_.v[row * out_stride + i] = x.v[row * x_stride + i] * factor * weight.v[i];
  }
}
