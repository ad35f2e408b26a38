// A weight matrix [out, in] in the layout that its kernel reads. Chosen once at load, never changed.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/dtype.h"
#include "kernels/result.h"

namespace lava {

enum class MatrixLayout : uint8_t {
  rows,          // as in the file: out rows of `in` values
  interleaved16  // 16 rows side by side, block by block (kernels/linear/pack.h)
};

// exact: activations stay float32, weights are widened.
// bf16: activations and unquantised weights are rounded to BF16 and summed in float32 (NMSE about 5e-6 per product); quantised weights as fast.
// fast: quantised weights meet activations quantised to 8 bits per block of 32 (NMSE about 1e-5), BF16 weights as bf16, F16 and F32 as exact.
enum class Precision : uint8_t { exact, bf16, fast };
const char* precision_name(Precision);

struct Matrix {
  DType format = DType::f32;
  MatrixLayout layout = MatrixLayout::rows;
  Precision precision = Precision::exact;
  int32_t out = 0, in = 0;
  const std::byte* data = nullptr;  // packed_bytes(...) bytes, 64-byte aligned unless layout is rows

  bool empty() const { return data == nullptr; }
};

constexpr bool can_interleave(DType format) { return is_quantized(format) || format == DType::bf16; }
// Layout that the processor (`host`), or else a device, likes best. Towers leave BF16 as it is: they multiply many rows, which rearrange it on the way.
MatrixLayout preferred_layout(DType format, Precision precision, bool host);
// Bytes of the matrix in a layout (rows padded to 16 in interleaved16).
size_t packed_bytes(DType format, MatrixLayout layout, int64_t out, int64_t in);
// Writes `source` (out rows as in the file) into `target` (packed_bytes, 64-byte aligned).
void pack_matrix(DType format, MatrixLayout layout, int64_t out, int64_t in, const std::byte* source, std::byte* target);

}  // namespace lava
