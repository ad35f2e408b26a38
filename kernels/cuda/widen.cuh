// Weights of any format and layout, eight at a time, as float32. The format is a value, not a template: for kernels that use a weight often.
#pragma once
#include "kernels/cuda/device_math.cuh"
#include "kernels/linear/pack.h"

namespace lava::cuda {

struct WeightView {
  const std::byte* data;
  int64_t out, in, row_bytes;  // row_bytes: of a row in the rows layout
  DType format;
  bool packed;  // interleaved16, described by `f`
  PackedFormat f;
};

inline WeightView view_of(const Matrix& m) {
  const bool packed = m.layout == MatrixLayout::interleaved16;
  return {m.data, m.out, m.in, packed ? 0 : static_cast<int64_t>(row_bytes(m.format, m.in)), m.format, packed, packed ? packed_format(m.format) : PackedFormat{}};
}

// 16 bytes of nibbles: value i < 16 in the low, value i + 16 in the high half of byte i.
__device__ inline int nibble_of(const std::byte* q, int i) { return (byte_of(q, i % 16) >> (i < 16 ? 0 : 4)) & 15; }

// Value i of a block of 32 in Q4_0, Q4_1, Q5_0, Q5_1.
__device__ inline float simple_value(const std::byte* p, bool has_min, bool five_bits, int i) {
  const float scale = half_at(p), min = has_min ? half_at(p + 2) : 0.0f;
  p += has_min ? 4 : 2;
  int code = nibble_of(p + (five_bits ? 4 : 0), i);
  if (five_bits) code |= ((byte_of(p, i / 8) >> (i % 8)) & 1) << 4;
  const int offset = has_min ? 0 : (five_bits ? 16 : 8);
  return static_cast<float>(code - offset) * scale + min;
}

// Value i of a block of 256 in Q4_K, Q5_K.
__device__ inline float q45_k_value(const std::byte* p, bool five_bits, int i) {
  const std::byte* s = p + 4;
  const int g = i / 32, l = i % 32, j = g % 4;
  const int scale = g < 4 ? byte_of(s, j) & 63 : (byte_of(s, j + 8) & 15) | (byte_of(s, j) >> 6) << 4;
  const int min = g < 4 ? byte_of(s, j + 4) & 63 : (byte_of(s, j + 8) >> 4) | (byte_of(s, j + 4) >> 6) << 4;
  int code = (byte_of(p, (five_bits ? 48 : 16) + 32 * (g / 2) + l) >> (4 * (g % 2))) & 15;
  if (five_bits) code |= ((byte_of(p, 16 + l) >> g) & 1) << 4;
  return static_cast<float>(code) * (half_at(p) * static_cast<float>(scale)) - half_at(p + 2) * static_cast<float>(min);
}

// Value i of a block of 256 in Q6_K.
__device__ inline float q6_k_value(const std::byte* p, int i) {
  const int half = i / 128, quarter = i % 128 / 32, l = i % 32;
  const int nibble = (byte_of(p, 64 * half + 32 * (quarter % 2) + l) >> (4 * (quarter / 2))) & 15;
  const int top = (byte_of(p, 128 + 32 * half + l) >> (2 * quarter)) & 3;
  const auto scale = static_cast<float>(static_cast<int8_t>(byte_of(p, 192 + i / 16)));
  return static_cast<float>((nibble | top << 4) - 32) * (half_at(p + 208) * scale);
}

// Value `index` of a quantised row as in the file. Out of line: rows are packed where speed counts.
[[gnu::noinline]] __device__ static float quantized_value(DType format, const std::byte* row, int64_t index) {
  const auto small = static_cast<int>(index % 32), large = static_cast<int>(index % 256);
  const int64_t b32 = index / 32, b256 = index / 256;
  switch (format) {
    case DType::q4_0: return simple_value(row + 18 * b32, false, false, small);
    case DType::q4_1: return simple_value(row + 20 * b32, true, false, small);
    case DType::q5_0: return simple_value(row + 22 * b32, false, true, small);
    case DType::q5_1: return simple_value(row + 24 * b32, true, true, small);
    case DType::q8_0: return half_at(row + 34 * b32) * static_cast<float>(static_cast<int8_t>(byte_of(row + 34 * b32, 2 + small)));
    case DType::q4_k: return q45_k_value(row + 144 * b256, false, large);
    case DType::q5_k: return q45_k_value(row + 176 * b256, true, large);
    case DType::q6_k: return q6_k_value(row + 210 * b256, large);
    default: return 0.0f;
  }
}

// Value `index` of a row as in the file.
__device__ inline float row_value(DType format, const std::byte* row, int64_t index) {
  if (format == DType::f32) return reinterpret_cast<const float*>(row)[index];
  if (format == DType::f16) return half_value(reinterpret_cast<const uint16_t*>(row)[index]);
  if (format == DType::bf16) return bf16_value(reinterpret_cast<const uint16_t*>(row)[index]);
  return quantized_value(format, row, index);
}

// Words of four codes each: values 4 line .. 4 line + 3 of a unit's row, and those 16 further on.
struct CodeWords {
  uint32_t first, second;
};

// `unit` points at the unit's bytes, `row` is 0 .. 15, `line` 0 .. 3 (kernels/linear/pack.h has the layout).
__device__ inline CodeWords code_words(const PackedFormat& f, const std::byte* unit, int row, int line) {
  const std::byte* high = unit + f.factors;
  const std::byte* low = high + f.high;
  const uint32_t word = word_of(low, 16 * line + row);
  CodeWords c{word, 0};
  if (f.low == 512) c.second = word_of(low, 16 * (4 + line) + row);
  else c = {word & 0x0f0f0f0fu, (word >> 4) & 0x0f0f0f0fu};
  if (f.high == 64) {
    const uint32_t bits = word_of(high, row);
    c.first |= ((bits >> line) & 0x01010101u) << 4, c.second |= ((bits >> (4 + line)) & 0x01010101u) << 4;
  } else if (f.high == 128) {
    c.first |= ((word_of(high, row) >> (2 * line)) & 0x03030303u) << 4, c.second |= ((word_of(high, 16 + row) >> (2 * line)) & 0x03030303u) << 4;
  }
  return c;
}

// value = code * scale[value / 16] + min, of a unit's row, offsets not counted.
struct UnitFactors {
  float scale[2], min;
};

__device__ inline UnitFactors unit_factors(const PackedFormat& f, const std::byte* block, const std::byte* unit, int row) {
  const auto* halves = reinterpret_cast<const uint16_t*>(block);
  const float scale = half_value(__ldg(halves + row)), min = f.has_min ? half_value(__ldg(halves + 16 + row)) : 0.0f;
  if (f.factors == 0) return {{scale, scale}, min};
  const auto first = static_cast<float>(static_cast<int8_t>(byte_of(unit, row))), second = static_cast<float>(static_cast<int8_t>(byte_of(unit, 16 + row)));
  if (!f.has_min) return {{scale * first, scale * second}, 0.0f};  // Q6_K
  return {{scale * first, scale * first}, -(min * second)};
}

// Of row `output`: v[0..3] are values 32 unit + 4 line and on, v[4..7] those 16 further on. Beyond the matrix: zeros.
__device__ inline void widen8(const WeightView& w, int64_t output, int64_t unit, int line, float (&v)[8]) {
  const int64_t index = 32 * unit + 4 * line;
  for (int i = 0; i < 8; ++i) v[i] = 0.0f;
  if (output >= w.out || index >= w.in) return;
  if (!w.packed) {
    const std::byte* row = w.data + output * w.row_bytes;
    for (int i = 0; i < 8; ++i) {
      const int64_t at = index + (i < 4 ? i : 12 + i);
      if (at < w.in) v[i] = row_value(w.format, row, at);
    }
    return;
  }
  const auto row = static_cast<int>(output % 16);
  const std::byte* block = w.data + (output / 16 * (w.in / w.f.values()) + unit / w.f.units) * w.f.bytes();
  const std::byte* bytes = block + w.f.header + unit % w.f.units * w.f.unit_bytes();
  const CodeWords c = code_words(w.f, bytes, row, line);
  const UnitFactors factors = unit_factors(w.f, block, bytes, row);
  for (int i = 0; i < 4; ++i) {
    v[i] = static_cast<float>(static_cast<int>((c.first >> (8 * i)) & 255u) - w.f.offset) * factors.scale[0] + factors.min;
    v[4 + i] = static_cast<float>(static_cast<int>((c.second >> (8 * i)) & 255u) - w.f.offset) * factors.scale[1] + factors.min;
  }
}

}  // namespace lava::cuda
