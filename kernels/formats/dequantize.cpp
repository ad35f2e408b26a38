// Widening of weight rows, block by block as the formats are defined.
#include <cstring>

#include "kernels/check.h"
#include "kernels/formats/formats.h"

namespace lava {
namespace {

uint8_t byte_at(const std::byte* p, int i) { return static_cast<uint8_t>(p[i]); }
uint16_t half_at(const std::byte* p) {
  uint16_t value;
  std::memcpy(&value, p, 2);
  return value;
}

// 16 bytes: value j in the low, value j + 16 in the high nibble of byte j; bit j of `high` is worth 16.
void decode_nibbles(const std::byte* q, uint32_t high, int offset, int8_t* code) {
  for (int j = 0; j < 16; ++j) {
    const int low = (byte_at(q, j) & 15) | static_cast<int>((high >> j) & 1u) << 4;
    const int top = (byte_at(q, j) >> 4) | static_cast<int>((high >> (j + 16)) & 1u) << 4;
    code[j] = static_cast<int8_t>(low - offset);
    code[j + 16] = static_cast<int8_t>(top - offset);
  }
}

// Q4_0, Q4_1, Q5_0, Q5_1: f16 scale; f16 min if `has_min`; u32 high bits if `five_bits`; 16 bytes of nibbles.
void decode_simple(const std::byte* p, bool has_min, bool five_bits, CodedBlock& block) {
  block.scale[0] = half_to_float(half_at(p));
  p += 2;
  block.min[0] = has_min ? half_to_float(half_at(p)) : -0.0f;  // x + -0 is x, also for a zero
  if (has_min) p += 2;
  uint32_t high = 0;
  if (five_bits) {
    std::memcpy(&high, p, 4);
    p += 4;
  }
  decode_nibbles(p, high, has_min ? 0 : (five_bits ? 16 : 8), block.code);
}

void decode_q8_0(const std::byte* p, CodedBlock& block) {
  block.scale[0] = half_to_float(half_at(p));
  block.min[0] = -0.0f;
  std::memcpy(block.code, p + 2, 32);
}

// Q4_K, Q5_K: f16 d, dmin; 12 bytes of group scales; Q5_K: 32 bytes, bit g of byte l is worth 16 in group g; 128 bytes of nibbles.
void decode_q45_k(const std::byte* p, bool five_bits, CodedBlock& block) {
  const float d = half_to_float(half_at(p)), dmin = half_to_float(half_at(p + 2));
  int8_t scale[8], min[8];
  decode_group_scales(p + 4, scale, min);
  const std::byte* high = p + 16;
  const std::byte* q = p + (five_bits ? 48 : 16);
  for (int g = 0; g < 8; ++g) {
    block.scale[g] = d * static_cast<float>(scale[g]);
    block.min[g] = -(dmin * static_cast<float>(min[g]));
    for (int l = 0; l < 32; ++l) {
      const int nibble = (byte_at(q, 32 * (g / 2) + l) >> (4 * (g % 2))) & 15;
      const int top = five_bits ? (byte_at(high, l) >> g) & 1 : 0;
      block.code[32 * g + l] = static_cast<int8_t>(nibble | top << 4);
    }
  }
}

// Q6_K: 128 bytes of nibbles, 64 bytes of high bit pairs, 16 signed group scales, f16 d.
void decode_q6_k(const std::byte* p, CodedBlock& block) {
  const float d = half_to_float(half_at(p + 208));
  for (int g = 0; g < 16; ++g) {
    block.scale[g] = d * static_cast<float>(static_cast<int8_t>(p[192 + g]));
    block.min[g] = -0.0f;
  }
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, quarter = i % 128 / 32, l = i % 32;
    const int nibble = (byte_at(p, 64 * half + 32 * (quarter % 2) + l) >> (4 * (quarter / 2))) & 15;
    const int top = (byte_at(p, 128 + 32 * half + l) >> (2 * quarter)) & 3;
    block.code[i] = static_cast<int8_t>((nibble | top << 4) - 32);
  }
}

}  // namespace

void decode_group_scales(const std::byte* s, int8_t* scale, int8_t* min) {
  for (int j = 0; j < 4; ++j) {
    scale[j] = static_cast<int8_t>(byte_at(s, j) & 63);
    min[j] = static_cast<int8_t>(byte_at(s, j + 4) & 63);
    scale[j + 4] = static_cast<int8_t>((byte_at(s, j + 8) & 15) | (byte_at(s, j) >> 6) << 4);
    min[j + 4] = static_cast<int8_t>((byte_at(s, j + 8) >> 4) | (byte_at(s, j + 4) >> 6) << 4);
  }
}

void decode_block(DType format, const std::byte* source, CodedBlock& block) {
  block.group = format == DType::q6_k ? 16 : 32;
  switch (format) {
    case DType::q4_0:
      return decode_simple(source, false, false, block);
    case DType::q4_1:
      return decode_simple(source, true, false, block);
    case DType::q5_0:
      return decode_simple(source, false, true, block);
    case DType::q5_1:
      return decode_simple(source, true, true, block);
    case DType::q8_0:
      return decode_q8_0(source, block);
    case DType::q4_k:
      return decode_q45_k(source, false, block);
    case DType::q5_k:
      return decode_q45_k(source, true, block);
    case DType::q6_k:
      return decode_q6_k(source, block);
    default:
      LAVA_CHECK(!"not a quantised format");
  }
}

void dequantize_row(DType format, const std::byte* source, float* target, int64_t count) {
  const DTypeInfo info = dtype_info(format);
  LAVA_CHECK(is_weight_format(format) && count >= 0 && count % info.block == 0);
  if (format == DType::f32) {
    std::memcpy(target, source, static_cast<size_t>(count) * 4);
    return;
  }
  if (format == DType::f16) {
    for (int64_t i = 0; i < count; ++i) target[i] = half_to_float(half_at(source + 2 * i));
    return;
  }
  if (format == DType::bf16) {
    for (int64_t i = 0; i < count; ++i) target[i] = bf16_to_float(half_at(source + 2 * i));
    return;
  }
  CodedBlock block;
  for (int64_t b = 0; b < count / info.block; ++b, source += info.bytes, target += info.block) {
    decode_block(format, source, block);
    for (int i = 0; i < info.block; ++i) {
      target[i] = static_cast<float>(block.code[i]) * block.scale[i / block.group] + block.min[i / block.group];
    }
  }
}

}  // namespace lava
