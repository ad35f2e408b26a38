// Activations as the fast kernels want them: 8-bit codes per block of 32 with a float32 scale, and sums for the weights' offsets and mins;
// or rounded to BF16.
#pragma once
#include "kernels/linear/linear.h"

namespace lava {

// Whether a target multiplies in integers.
[[gnu::always_inline]] inline bool takes_prepared(const Matrix& weight) {
  return weight.precision != Precision::exact && is_quantized(weight.format) && weight.layout == MatrixLayout::interleaved16;
}
// Whether a target multiplies in BF16 where the processor can, and the rows are worth the panel.
constexpr int64_t least_bf16_rows = 4;
[[gnu::always_inline]] inline bool takes_bf16(const Matrix& weight, int64_t rows) {
  const bool wanted = weight.precision == Precision::bf16 || (weight.precision == Precision::fast && weight.format == DType::bf16);
  return wanted && rows >= least_bf16_rows && !is_quantized(weight.format);
}

// Where the parts of one prepared row of `in` values (a multiple of 32) lie, each padded to 64 bytes:
//   i8 code[in] | f32 scale[in/32] | f32 sum[in/32] (scale times the codes' sum) | i32 minus_sum[in/32] | i32 minus_half[in/16]
// minus_sum and minus_half are the negated sums of 32 and of 16 codes.
struct PreparedRow {
  int64_t scale_at, sum_at, minus_sum_at, minus_half_at, bytes;

  [[gnu::always_inline]] explicit constexpr PreparedRow(int64_t in)
      : scale_at(up64(in)),
        sum_at(scale_at + up64(in / 8)),
        minus_sum_at(sum_at + up64(in / 8)),
        minus_half_at(minus_sum_at + up64(in / 8)),
        bytes(minus_half_at + up64(in / 4)) {}
  [[gnu::always_inline]] static constexpr int64_t up64(int64_t n) { return (n + 63) / 64 * 64; }
};

[[gnu::always_inline]] inline size_t prepared_bytes(int64_t rows, int64_t in) { return static_cast<size_t>(rows * PreparedRow(in).bytes); }

// A row of BF16: pairs of neighbouring values, padded with zeros to whole vectors.
[[gnu::always_inline]] inline int64_t bf16_row_pairs(int64_t in) { return (in + 31) / 32 * 16; }
[[gnu::always_inline]] inline size_t bf16_bytes(int64_t rows, int64_t in) { return static_cast<size_t>(4 * rows * bf16_row_pairs(in)); }

// What linear keeps in LinearArgs::scratch, one behind the other: rows of PreparedRow (or of BF16 in their place: graphics cards multiply many rows so),
// rows of BF16, and normed rows in float32 (instruction sets without the products of the first two take these).
struct LinearScratch {
  size_t codes = 0, bf16 = 0, floats = 0;  // bytes

  [[gnu::always_inline]] explicit LinearScratch(const LinearArgs& a) {
    const int64_t rows = a.x.extent[0], in = a.x.extent[1];
    for (int i = 0; i < a.targets; ++i) {
      const Matrix& weight = a.target[static_cast<size_t>(i)].weight;
      if (takes_prepared(weight)) codes = prepared_bytes(rows, in) > bf16_bytes(rows, in) ? prepared_bytes(rows, in) : bf16_bytes(rows, in);
      if (takes_bf16(weight, rows)) bf16 = bf16_bytes(rows, in);
    }
    if (!a.norm.gain.empty()) floats = static_cast<size_t>(rows * float_row_bytes(in));
  }
  [[gnu::always_inline]] static int64_t float_row_bytes(int64_t in) { return (in + 15) / 16 * 64; }
  [[gnu::always_inline]] size_t bytes() const { return codes + bf16 + floats; }
};

}  // namespace lava
