// What every shader includes: memory by address, and the number of an invocation in a dispatch.
// Push constants hold addresses first (8 bytes each), then 4-byte values; the C++ struct of the op's _vulkan.cpp has the same order.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Floats { float v[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Ints { int v[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Words { uint v[]; };
layout(buffer_reference, std430, buffer_reference_align = 2) buffer Halves { uint16_t v[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Vectors { vec4 v[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer WordPairs { uvec2 v[]; };
// StepParams of kernels/step_params.h.
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Step { int past, token, limit; };

// The position of a step, or `otherwise` where there is none (null). `there` is memory that may be read: some drivers read on both sides of a
// condition, whatever a branch says, and fault at null (llvmpipe of Mesa 26.1).
int past_of(Step step, int otherwise, Floats there) {
  const bool given = uvec2(step) != uvec2(0);
  const int past = Step(given ? uvec2(step) : uvec2(there)).past;
  return given ? past : otherwise;
}

// Dispatches of many invocations are folded into two dimensions: a dimension may be limited to 65,535 groups.
uint invocation() { return (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * gl_WorkGroupSize.x + gl_LocalInvocationID.x; }

// kernels/half.h in GLSL: subnormals count (they are scales of K-quants) and rounding is to nearest even, whatever the device's modes are.
float half_to_float(uint half_bits) {
  const uint magnitude = half_bits & 0x7fffu, sign = (half_bits & 0x8000u) << 16;
  const float subnormal = float(magnitude) * 5.9604644775390625e-8;
  const uint normal = (magnitude << 13) + (magnitude >= 0x7c00u ? 0x70000000u : 0x38000000u);
  return uintBitsToFloat((magnitude < 0x0400u ? floatBitsToUint(subnormal) : normal) | sign);
}

uint float_to_half(float value) {
  const uint bits = floatBitsToUint(value), magnitude = bits & 0x7fffffffu, sign = (bits >> 16) & 0x8000u;
  if (magnitude >= 0x7f800000u) return sign | (magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u);
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;
  if (magnitude < 0x38800000u) return sign | (floatBitsToUint(uintBitsToFloat(magnitude) + 0.5) - 0x3f000000u);
  return sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13);
}
