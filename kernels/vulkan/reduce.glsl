// Sums and maxima over a workgroup; all its invocations call them and all get the result.
// Two modules are compiled of every shader: with subgroup arithmetic, and without for devices that have none in compute.
#if LAVA_SUBGROUPS
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif

shared float reduce_partials[gl_WorkGroupSize.x];

#if LAVA_SUBGROUPS
#define LAVA_REDUCE(name, within, combine)                             \
  float name(float value) {                                            \
    value = within(value);                                             \
    if (subgroupElect()) reduce_partials[gl_SubgroupID] = value;       \
    barrier();                                                         \
    value = reduce_partials[0];                                        \
    for (uint i = 1; i < gl_NumSubgroups; ++i) value = combine(value, reduce_partials[i]); \
    barrier();                                                         \
    return value;                                                      \
  }
#else
#define LAVA_REDUCE(name, within, combine)                             \
  float name(float value) {                                            \
    const uint lane = gl_LocalInvocationID.x;                          \
    reduce_partials[lane] = value;                                     \
    barrier();                                                         \
    for (uint step = gl_WorkGroupSize.x / 2; step > 0; step /= 2) {    \
      if (lane < step) reduce_partials[lane] = combine(reduce_partials[lane], reduce_partials[lane + step]); \
      barrier();                                                       \
    }                                                                  \
    value = reduce_partials[0];                                        \
    barrier();                                                         \
    return value;                                                      \
  }
#endif

float reduce_add(float a, float b) { return a + b; }
// The workgroup's size is a power of two.
LAVA_REDUCE(workgroup_sum, subgroupAdd, reduce_add)
LAVA_REDUCE(workgroup_max, subgroupMax, max)
