// What shaders that include weights.glsl want to know of a matrix.
#pragma once
#include "kernels/formats/formats.h"
#include "kernels/matrix.h"
#include "kernels/vulkan/encoder.h"

namespace lava::vulkan {

// Whether weights of a float format may be read four at a time; blocks of others have an order of their own.
inline bool reads_fours(const Matrix& m, VkDeviceAddress address) {
  const VkDeviceAddress alignment = m.format == DType::f32 ? 16 : 8;
  return m.in % 32 == 0 && (is_quantized(m.format) || address % alignment == 0);
}

// Shaders count the bytes of a matrix in 32 bits.
inline void check_matrix(const Matrix& m) { LAVA_CHECK(packed_bytes(m.format, m.layout, m.out, m.in) <= UINT32_MAX); }

}  // namespace lava::vulkan
