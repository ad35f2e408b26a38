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
  gemm_packed, // quantised weights, many rows: tensor cores, weights and activations rounded to BF16
  gemm_bf16,   // the same of F32, F16, BF16 weights
  gemm_f32     // many rows in float32, and quantised weights that were not packed
};

constexpr int64_t most_gemv_rows = 8, least_library_rows = 16;

inline LinearPath linear_path(const Matrix& weight, int64_t rows) {
  const bool packed = weight.layout == MatrixLayout::interleaved16;
  if (is_quantized(weight.format) && !packed) return LinearPath::gemm_f32;
  if (rows <= most_gemv_rows) return !packed ? LinearPath::gemv_rows : takes_prepared(weight) ? LinearPath::gemv_fast : LinearPath::gemv_exact;
  if (takes_prepared(weight)) return LinearPath::gemm_packed;
  return takes_bf16(weight, rows) ? LinearPath::gemm_bf16 : LinearPath::gemm_f32;
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

// From this many rows on, packed weights are widened to BF16 for cuBLASLt, a panel at a time (gemm_panels.cu). Reckoned, not measured: writing two bytes for
// each weight takes as long as the library's product of about 270 rows (an H200, 3.5 TB/s and 750 TFLOP/s), and what is won with each row
// is as much again, because mma.sync reaches little more than half of what wgmma does. On cards before it both numbers are smaller and their ratio is alike.
constexpr int64_t least_panel_rows = 256;
inline bool takes_panels(const Matrix& weight, int64_t rows) { return rows >= least_panel_rows && linear_path(weight, rows) == LinearPath::gemm_packed; }

// A panel: `outputs` by `values` of a weight. It should stay in the L2 cache (40 to 72 MB on the cards that matter; x and the results want room there
// too), and have outputs enough to fill the device: so values are cut first, at 4096, which leaves room for as many outputs.
struct PanelShape {
  int64_t outputs, values;
};
constexpr size_t panel_bytes = size_t{32} << 20;
constexpr PanelShape panel_shape(int64_t outputs, int64_t in) {
  constexpr int64_t most_values = 4096, block = 256, tile = 128;  // whole blocks of K-quants; tiles of the library
  const auto even = [](int64_t size, int64_t most, int64_t unit) { return std::min(ceil_div(ceil_div(size, ceil_div(size, most)), unit) * unit, most); };
  const int64_t values = even(in, most_values, block), fit = static_cast<int64_t>(panel_bytes / 2) / values / tile * tile;
  return {even(outputs, fit, tile), std::min(values, in)};
}

// gemm_packed: tiles of 128 outputs by the smallest of 16, 32, 64, 128 rows that holds all, or 128.
constexpr int packed_tile_outputs = 128;
constexpr int packed_tile_rows(int64_t rows) { return rows <= 16 ? 16 : rows <= 32 ? 32 : rows <= 64 ? 64 : 128; }
// Blocks that share a multiprocessor, and units of 32 values in a chunk. A warp keeps the sums of 16 outputs for each of these units: 128 in a lane, where
// two blocks share the registers 32.
constexpr int packed_tile_blocks(int tile_rows) { return tile_rows > 32 ? 1 : 2; }
constexpr int packed_chunk_units(int tile_rows) { return tile_rows == 16 || tile_rows == 64 ? 4 : 2; }
// Stages of shared memory, each a chunk: 3, 4 or 6, what a block's part of it holds. Three fit into the 99 KB of the smallest cards; with six, 23 KB or more
// of weights are on their way to a multiprocessor, about as much as an H200 delivers while memory answers.
constexpr int least_packed_stages = 3;
constexpr int packed_stages(size_t stage_bytes, int blocks, size_t shared_bytes) {
  constexpr size_t reserved = 1024;  // of each block
  const size_t fit = (shared_bytes / static_cast<size_t>(blocks) - reserved) / stage_bytes;
  return fit >= 6 ? 6 : fit >= 4 ? 4 : least_packed_stages;
}

// `total` chunks of work, in the order of tiles and then of values, dealt to blocks in runs that differ by one at most.
struct Shares {
  int total, blocks;
  constexpr int begin(int block) const { return total / blocks * block + std::min(block, total % blocks); }  // of block `blocks`: the end
};
// As many blocks as the device holds, so that all end together. A block that gets less than a few chunks spends its time on other things; one per
// tile there may be. `room`: for two tiles of sums per block.
constexpr Shares packed_shares(int64_t tiles, int64_t chunks, int64_t device_blocks, size_t tile_bytes, size_t room) {
  constexpr int64_t least_share = 4;
  const int64_t wanted = std::min(device_blocks, std::max(tiles, tiles * chunks / least_share)), fit = static_cast<int64_t>(room / (2 * tile_bytes));
  return {static_cast<int>(tiles * chunks), static_cast<int>(std::max<int64_t>(std::min(wanted, fit), 1))};
}

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
