#include "kernels/linear/pack.h"

#include <cstring>

#include "kernels/check.h"
#include "kernels/formats/formats.h"

namespace lava {
namespace {

// Byte of the `low` (or `high`) part that holds value v of row r.
int low_byte(const PackedFormat& f, int v, int r) { return 64 * (f.low == 512 ? v / 4 : v % 16 / 4) + 4 * r + v % 4; }
int high_byte(const PackedFormat& f, int v, int r) { return (f.high == 128 ? 64 * (v / 16) : 0) + 4 * r + v % 4; }
int high_shift(const PackedFormat& f, int v) { return f.high == 128 ? 2 * (v % 16 / 4) : v / 4; }

void put_codes(const PackedFormat& f, const int8_t* code, int r, std::byte* high, std::byte* low) {
  for (int v = 0; v < 32; ++v) {
    const int u = code[v] + f.offset;
    if (f.low == 512) {
      low[low_byte(f, v, r)] = static_cast<std::byte>(u);
    } else {
      low[low_byte(f, v, r)] |= static_cast<std::byte>((u & 15) << (v < 16 ? 0 : 4));
      if (f.high > 0) high[high_byte(f, v, r)] |= static_cast<std::byte>((u >> 4) << high_shift(f, v));
    }
  }
}

void put_factors(const CodedBlock& block, DType format, int unit, int r, std::byte* factors) {
  const bool halves = format == DType::q6_k;
  const int8_t first = halves ? block.group_scale[2 * unit] : block.group_scale[unit];
  const int8_t second = halves ? block.group_scale[2 * unit + 1] : block.group_min[unit];
  factors[r] = static_cast<std::byte>(first);
  factors[16 + r] = static_cast<std::byte>(second);
}

// One block of row r of a group; `target` is the group's block, zeroed before.
void put_block(DType format, const PackedFormat& f, const std::byte* source, int r, std::byte* target) {
  CodedBlock block;
  decode_block(format, source, block);
  const size_t scale_at = format == DType::q6_k ? 208 : 0;
  std::memcpy(target + 2 * r, source + scale_at, 2);
  if (f.has_min) std::memcpy(target + 32 + 2 * r, source + 2, 2);
  for (int u = 0; u < f.units; ++u) {
    std::byte* unit = target + f.header + u * f.unit_bytes();
    if (f.factors > 0) put_factors(block, format, u, r, unit);
    put_codes(f, block.code + 32 * u, r, unit + f.factors, unit + f.factors + f.high);
  }
}

struct UnitScale {
  float scale[2], min;  // of values 0..15 and 16..31
};

UnitScale unit_scale(DType format, const PackedFormat& f, const std::byte* block, int u, int r) {
  uint16_t d, m = 0;
  std::memcpy(&d, block + 2 * r, 2);
  if (f.has_min) std::memcpy(&m, block + 32 + 2 * r, 2);
  const float scale = half_to_float(d), min = half_to_float(m);
  if (f.factors == 0) return {{scale, scale}, f.has_min ? min : -0.0f};
  const std::byte* unit = block + f.header + u * f.unit_bytes();
  const float first = static_cast<float>(static_cast<int8_t>(unit[r])), second = static_cast<float>(static_cast<int8_t>(unit[16 + r]));
  if (format == DType::q6_k) return {{scale * first, scale * second}, -0.0f};
  return {{scale * first, scale * first}, -(min * second)};
}

void widen_unit(DType format, const PackedFormat& f, const std::byte* block, int u, int r, float* target) {
  const UnitScale scale = unit_scale(format, f, block, u, r);
  const std::byte* high = block + f.header + u * f.unit_bytes() + f.factors;
  const std::byte* low = high + f.high;
  for (int v = 0; v < 32; ++v) {
    int code = static_cast<int>(low[low_byte(f, v, r)]);
    if (f.low == 256) code = (code >> (v < 16 ? 0 : 4)) & 15;
    if (f.high > 0) {
      const int top = static_cast<int>(high[high_byte(f, v, r)]) >> high_shift(f, v);
      code |= (top & (f.high == 128 ? 3 : 1)) << 4;
    }
    target[v] = static_cast<float>(code - f.offset) * scale.scale[v / 16] + scale.min;
  }
}

}  // namespace

MatrixLayout preferred_layout(DType format, Precision, int64_t, int64_t) {
  return is_quantized(format) ? MatrixLayout::interleaved16 : MatrixLayout::rows;
}

size_t packed_bytes(DType format, MatrixLayout layout, int64_t out, int64_t in) {
  LAVA_CHECK(is_weight_format(format) && out >= 0 && in >= 0 && in % dtype_info(format).block == 0);
  if (layout == MatrixLayout::rows) return row_bytes(format, out * in);
  LAVA_CHECK(is_quantized(format));
  const PackedFormat f = packed_format(format);
  return static_cast<size_t>((out + 15) / 16) * static_cast<size_t>(in / f.values()) * static_cast<size_t>(f.bytes());
}

void pack_matrix(DType format, MatrixLayout layout, int64_t out, int64_t in, const std::byte* source, std::byte* target) {
  const size_t bytes = packed_bytes(format, layout, out, in);
  if (layout == MatrixLayout::rows) {
    std::memcpy(target, source, bytes);
    return;
  }
  std::memset(target, 0, bytes);
  const PackedFormat f = packed_format(format);
  const int64_t blocks = in / f.values();
  const size_t block_bytes = static_cast<size_t>(dtype_info(format).bytes), row = row_bytes(format, in);
  for (int64_t o = 0; o < out; ++o) {
    std::byte* group = target + o / 16 * blocks * f.bytes();
    for (int64_t b = 0; b < blocks; ++b) {
      put_block(format, f, source + static_cast<size_t>(o) * row + static_cast<size_t>(b) * block_bytes, static_cast<int>(o % 16),
                group + b * f.bytes());
    }
  }
}

void widen_row(const Matrix& matrix, int64_t row, float* target) {
  LAVA_CHECK(row >= 0 && row < matrix.out);
  if (matrix.layout == MatrixLayout::rows) {
    dequantize_row(matrix.format, matrix.data + static_cast<size_t>(row) * row_bytes(matrix.format, matrix.in), target, matrix.in);
    return;
  }
  const PackedFormat f = packed_format(matrix.format);
  const int64_t blocks = matrix.in / f.values();
  const std::byte* group = matrix.data + row / 16 * blocks * f.bytes();
  for (int64_t b = 0; b < blocks; ++b) {
    for (int u = 0; u < f.units; ++u) {
      widen_unit(matrix.format, f, group + b * f.bytes(), u, static_cast<int>(row % 16), target + b * f.values() + 32 * u);
    }
  }
}

}  // namespace lava
