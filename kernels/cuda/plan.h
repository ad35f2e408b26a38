// Choices that the host makes before a launch: which kernel serves a product, how many rows it takes at once, into how many parts keys are split.
// Plain arithmetic, tested without a device. The constants are defaults from reasoning: nothing here has been tuned on hardware.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/linear/prepared.h"

namespace lava::cuda {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// How a product with one weight is computed.
enum class LinearPath : uint8_t {
  gemv_fast,   // quantised weights, few rows: 8-bit activations, dp4a
  gemv_exact,  // quantised weights, few rows: float32 activations
  gemv_rows,   // F32, F16, BF16 weights, few rows: float32 activations
  gemm_bf16,   // many rows: tensor cores, weights and activations rounded to BF16
  gemm_f32     // many rows in float32, and quantised weights that were not packed
};

constexpr int64_t most_gemv_rows = 8, least_library_rows = 16;

inline LinearPath linear_path(const Matrix& weight, int64_t rows) {
  const bool packed = weight.layout == MatrixLayout::interleaved16;
  if (is_quantized(weight.format) && !packed) return LinearPath::gemm_f32;
  if (rows <= most_gemv_rows) return !packed ? LinearPath::gemv_rows : takes_prepared(weight) ? LinearPath::gemv_fast : LinearPath::gemv_exact;
  return takes_prepared(weight) || takes_bf16(weight, rows) ? LinearPath::gemm_bf16 : LinearPath::gemm_f32;
}

// Whether the product norms a single row and rounds it to codes for itself, in each of its blocks: what that takes of shared memory must be there on
// every card without asking, beside what the kernels have of their own.
constexpr int64_t step_shared_bytes = int64_t{44} << 10;
inline bool takes_step(const Matrix& weight, int64_t rows) {
  const LinearPath path = linear_path(weight, rows);
  if (rows != 1 || (path != LinearPath::gemv_fast && path != LinearPath::gemv_rows)) return false;
  return (path == LinearPath::gemv_fast ? PreparedRow(weight.in).bytes : 4 * weight.in) <= step_shared_bytes;
}

// Whether a product is offered to cuBLASLt first: 16-bit weights that may meet rounded activations. F32 weights would have to be rounded on the way,
// which gemm_bf16 does, and exact products stay in float32.
inline bool takes_library(const Matrix& weight, int64_t rows) {
  return rows >= least_library_rows && (weight.format == DType::bf16 || weight.format == DType::f16) && linear_path(weight, rows) == LinearPath::gemm_bf16;
}

// Bytes of its weights that each of `blocks` asks for ahead of time: a quarter of the L2 cache for all of them, so that nothing pushes out what
// another still waits for.
constexpr int64_t bytes_ahead(int64_t l2_bytes, int64_t blocks) { return l2_bytes / 4 / std::max<int64_t>(blocks, 1) / 128 * 128; }

// Rows that one instance of a kernel takes together: the smallest of 1, 2, 4, 8 that holds `rows`, or 8.
constexpr int gemv_tile(int64_t rows) { return rows <= 1 ? 1 : rows <= 2 ? 2 : rows <= 4 ? 4 : 8; }
// Rows of a tile of gemm_bf16: a tall one where it fills the device.
constexpr int gemm_tile(int64_t rows, int64_t outputs, int64_t processors) {
  return rows > 64 && ceil_div(rows, 128) * ceil_div(outputs, 64) >= processors ? 128 : 64;
}

// Attention of few rows: `blocks` of work stand side by side without a split; `keys` are seen at most; a part is a multiple of `tile` keys.
// Parts are added until the device has four blocks for each multiprocessor, as long as a part keeps a tile and the partial results fit into `room`.
constexpr int attention_tile = 64, most_attention_parts = 64;
constexpr int64_t most_split_blocks(int64_t processors) { return 4 * processors; }  // more of them are not split
inline int attention_parts(int64_t blocks, int64_t keys, int64_t processors, size_t bytes_per_part, size_t room) {
  const int64_t wanted = ceil_div(most_split_blocks(processors), std::max<int64_t>(blocks, 1));
  const int64_t fit = bytes_per_part > 0 ? static_cast<int64_t>(room / bytes_per_part) : 1;
  const int64_t parts = std::min({wanted, ceil_div(keys, attention_tile), int64_t{most_attention_parts}, fit});
  return static_cast<int>(std::max<int64_t>(parts, 1));
}

// Whether attention of many queries runs on tensor cores: over F16 caches, which lose nothing there, and over others where values may be rounded.
inline bool takes_mma(DType cache, int64_t d, Precision precision) {
  constexpr int64_t widest = 128;  // sums stay in registers
  return d <= widest && (cache == DType::f16 || precision != Precision::exact);
}

}  // namespace lava::cuda
