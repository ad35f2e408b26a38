// Number formats of weights: widening a row to float32 and encoding one. Scalar and portable; the judge of every fast path.
// Block layouts are those of GGUF; block sizes stand in kernels/dtype.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/dtype.h"
#include "kernels/half.h"

namespace lava {

[[gnu::always_inline]] inline float bf16_to_float(uint16_t value) { return std::bit_cast<float>(static_cast<uint32_t>(value) << 16); }
[[gnu::always_inline]] inline uint16_t float_to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 64u);  // NaN becomes quiet
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// True for F32, F16, BF16 and the quantised formats: what a weight may be.
constexpr bool is_weight_format(DType type) { return type <= DType::bf16 || is_quantized(type); }

// `count` values (a multiple of the format's block) from `source` to `target`.
void dequantize_row(DType format, const std::byte* source, float* target, int64_t count);
void quantize_row(DType format, const float* source, std::byte* target, int64_t count);

// Value `index` of a row in Q8_0: a block is its scale and 32 codes.
[[gnu::always_inline]] inline float q8_0_value(const std::byte* row, int64_t index) {
  const std::byte* block = row + index / 32 * 34;
  uint16_t scale;
  std::memcpy(&scale, block, 2);
  return half_to_float(scale) * static_cast<float>(static_cast<int8_t>(block[2 + index % 32]));
}

// One block of a quantised format as integers: value[i] = scale[i / group] * code[i] + min[i / group].
// code is signed where the format has an offset; scales and mins are exact in float32.
struct CodedBlock {
  int group = 0;  // values that share a scale: 32, or 16 in Q6_K
  int8_t code[256];
  float scale[16], min[16];
};
void decode_block(DType format, const std::byte* source, CodedBlock& block);
// The eight 6-bit (scale, min) pairs of a Q4_K or Q5_K block, from their 12 bytes.
void decode_group_scales(const std::byte* twelve, int8_t* scale, int8_t* min);

}  // namespace lava
