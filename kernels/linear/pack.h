// The interleaved16 layout: 16 rows side by side, so that a vector of 16 lanes holds the same value index of 16 rows.
//
// Groups of 16 rows (the last padded with zeros) follow each other; a group is its blocks along `in`; a block of a group is
//   header: f16 scale[16]; f16 min[16] if the format has mins
//   units of 32 values (one, or eight in K-quants), each
//     factors: u8 scale[16], u8 min[16] (Q4_K, Q5_K) or i8 scale[16] of values 0..15, i8 scale[16] of values 16..31 (Q6_K)
//     high:    Q5: 64 bytes, bit v/4 of byte 4r + v%4 is bit 4 of value v of row r
//              Q6_K: 128 bytes, bits 2 (v%16/4) and up of byte 64 (v/16) + 4r + v%4 are bits 4 and 5
//     low:     nibbles: 256 bytes, value v of row r in byte 64 (v%16/4) + 4r + v%4, low half if v < 16, else high half
//              Q8_0: 512 bytes, value v in byte 64 (v/4) + 4r + v%4
// In BF16 a group is pairs of neighbouring values, [pair of k][16 rows][2], `in` padded with zeros to a multiple of 32: what VDPBF16PS takes.
// Codes are unsigned (value = scale (code - offset) + min), as VPDPBUSD wants them. Nothing is lost; Q4_K and Q5_K grow by
// 2.8 and 2.3 % because their 6-bit factors take a byte each, the others keep their size.
#pragma once
#include "kernels/matrix.h"

namespace lava {

struct PackedFormat {
  int32_t units, header, factors, high, low, offset;
  bool has_min;

  constexpr int32_t unit_bytes() const { return factors + high + low; }
  constexpr int32_t bytes() const { return header + units * unit_bytes(); }  // of a block of 16 rows
  constexpr int32_t values() const { return 32 * units; }
};

[[gnu::always_inline]] constexpr PackedFormat packed_format(DType format) {
  switch (format) {
    case DType::q4_0:
      return {1, 32, 0, 0, 256, 8, false};
    case DType::q4_1:
      return {1, 64, 0, 0, 256, 0, true};
    case DType::q5_0:
      return {1, 32, 0, 64, 256, 16, false};
    case DType::q5_1:
      return {1, 64, 0, 64, 256, 0, true};
    case DType::q8_0:
      return {1, 32, 0, 0, 512, 128, false};
    case DType::q4_k:
      return {8, 64, 32, 0, 256, 0, true};
    case DType::q5_k:
      return {8, 64, 32, 64, 256, 0, true};
    case DType::q6_k:
      return {8, 32, 32, 128, 256, 32, false};
    default:
      return {0, 0, 0, 0, 0, 0, false};
  }
}

// Bytes of a group of 16 rows.
[[gnu::always_inline]] constexpr int64_t packed_group_bytes(DType format, int64_t in) {
  if (format == DType::bf16) return (in + 31) / 32 * 32 * 16 * 2;
  const PackedFormat f = packed_format(format);
  return in / f.values() * f.bytes();
}

// Of what pack_matrix() writes, and quantize_row() before it where weights are rounded; to be raised with every change of it, so that matrices packed by an older program are not mistaken for today's.
inline constexpr uint32_t packed_layout_version = 1;

// Part of pack_matrix(): rows [begin, end) of `out`, begin a multiple of 16, end one too or `out`. Parts may be packed at the same time.
void pack_rows(DType format, MatrixLayout layout, int64_t out, int64_t in, int64_t begin, int64_t end, const std::byte* source, std::byte* target);

// Row `row` of the matrix, in any layout, as float32: `matrix.in` values.
void widen_row(const Matrix& matrix, int64_t row, float* target);
// Values [first, first + count) of a row as in the file; both multiples of the format's block.
void widen_file_row(const Matrix& matrix, int64_t row, int64_t first, int64_t count, float* target);

}  // namespace lava
