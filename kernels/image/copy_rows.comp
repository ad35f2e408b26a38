// out = x, both strided, rank 4.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(push_constant) uniform Push {
  Floats out_, x;
  ivec4 extent, out_stride, x_stride;
};

void main() {
  uint rest = invocation();
  int from = 0, to = 0;
  for (int axis = 3; axis >= 0; --axis) {
    const int index = int(rest % uint(extent[axis]));
    rest /= uint(extent[axis]);
    from += index * x_stride[axis], to += index * out_stride[axis];
  }
  if (rest == 0) out_.v[to] = x.v[from];
}
