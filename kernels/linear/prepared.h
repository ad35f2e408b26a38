// Activations as the fast kernels want them: 8-bit codes per block of 32 with a float32 scale, and sums for the weights' offsets and mins.
#pragma once
#include "kernels/linear/linear.h"

namespace lava {

// Whether a target multiplies in integers.
[[gnu::always_inline]] inline bool takes_prepared(const Matrix& weight) {
  return weight.precision == Precision::fast && is_quantized(weight.format) && weight.layout == MatrixLayout::interleaved16;
}

// One prepared row of `in` values (a multiple of 32), 64-byte aligned: i8 code[in] | f32 scale[in/32] | f32 sum[in/32] (scale times
// the sum of codes) | i32 half_sum[in/16] (sums of codes of 16), each part padded to 64 bytes.
struct PreparedRow {
  int64_t scale_at, sum_at, half_sum_at, bytes;

  [[gnu::always_inline]] explicit constexpr PreparedRow(int64_t in)
      : scale_at(up64(in)), sum_at(scale_at + up64(in / 8)), half_sum_at(sum_at + up64(in / 8)), bytes(half_sum_at + up64(in / 4)) {}
  [[gnu::always_inline]] static constexpr int64_t up64(int64_t n) { return (n + 63) / 64 * 64; }
};

[[gnu::always_inline]] inline size_t prepared_bytes(int64_t rows, int64_t in) { return static_cast<size_t>(rows * PreparedRow(in).bytes); }

}  // namespace lava
