// What the CUDA kernels of linear share: where results go, and the entry of each kernel.
#pragma once
#include <span>

#include "kernels/cuda/plan.h"
#include "kernels/cuda/widen.cuh"
#include "kernels/linear/linear.h"

namespace lava::cuda {

// out = act(sum + bias), or out += sum + bias.
struct Output {
  float* data;
  int64_t stride;
  const float* bias;  // or null
  int64_t width;
  Activation activation;
  bool accumulate;

  __device__ float finished(float sum, int64_t o) const { return apply(activation, bias ? sum + bias[o] : sum); }
  __device__ void store(float value, int64_t row, int64_t o) const {
    float& out = data[row * stride + o];
    out = accumulate ? out + value : value;
  }
};

inline Output output_of(const LinearTarget& t) {
  return {t.out.as<float>(), t.out.stride[0], t.bias.empty() ? nullptr : t.bias.as<float>(), t.weight.out, t.activation, t.accumulate};
}

struct Activations {
  const float* data;
  int64_t stride, rows, in;
};

// Whether four neighbouring values of a row may be read at once.
inline bool takes_fours(const Activations& x) { return reinterpret_cast<uintptr_t>(x.data) % 16 == 0 && x.stride % 4 == 0; }

// Targets of one format that one launch serves; `gated`: two, of which the first is multiplied by the second.
struct TargetRun {
  const LinearTarget* target;
  int count;
  bool gated;
};

// Index of the target that a block serves, of a kernel's arguments whose targets tell their first block; of the first one when gated.
template <class Args>
__device__ inline int target_of(const Args& a) {
  int index = 0;
  while (!a.gated && index + 1 < a.targets && static_cast<int>(blockIdx.x) >= a.target[index + 1].first_block) ++index;
  return index;
}

// What rows of x are normed by on their way into a product; gain null: nothing.
struct RowNorm {
  const float* gain = nullptr;
  float eps = 0;
};

// Rows of x, normed, as kernels/linear/prepared.h lays them out, to `prepared`.
void prepare_codes(const Activations& x, const RowNorm& norm, std::byte* prepared, Stream& stream);
void gemv_step(const TargetRun& run, const Activations& x, const RowNorm& norm, Stream& stream);  // one row, as it comes: takes_step()
void gemv_fast(const TargetRun& run, const Activations& x, const std::byte* prepared, Stream& stream);
void gemv_exact(const TargetRun& run, const Activations& x, Stream& stream);
void gemv_rows(const TargetRun& run, const Activations& x, const RowNorm& norm, Stream& stream);  // a norm with one row only: takes_step()
// `scratch`: bf16_bytes(rows, in). gemm_panels also multiplies a gated pair, and needs stream.panel().
void gemm_packed(const TargetRun& run, const Activations& x, std::byte* scratch, Stream& stream);
void gemm_panels(const TargetRun& run, const Activations& x, std::byte* scratch, Stream& stream);
void gemm_bf16(const LinearTarget& target, const Activations& x, Stream& stream);
void gemm_f32(const LinearTarget& target, const Activations& x, Stream& stream);

// Rows of x as 16-bit values.
struct RoundedRows {
  const uint32_t* data;     // pairs
  int64_t stride;           // of a row, in values
  const float* factors;     // f32 [rows]: what products are multiplied by; null for BF16
  size_t workspace_bytes;   // of the stream's workspace that factors take
};
// A block of packed weights: groups of 16 outputs, of which `output.width` count, from a block of values on.
struct PackedPart {
  const std::byte* weight;
  int64_t group_bytes;  // from a group to the next
  Output output;
};
inline int64_t group_bytes_of(const Matrix& packed) { return packed_group_bytes(packed.format, packed.in); }
// BF16 in the order that multiply_packed wants; `scratch`: bf16_bytes(rows, in).
RoundedRows round_lines(const Activations& x, std::byte* scratch, Stream& stream);
// Up to three parts of one format, which meet the same `values` of x.
void multiply_packed(DType format, std::span<const PackedPart> parts, const RoundedRows& x, int64_t rows, int64_t values, Stream& stream);

// `format` is that of the weights, BF16 or F16; `scratch`: bf16_bytes(rows, in).
RoundedRows round_rows(const Activations& x, DType format, std::byte* scratch, Stream& stream);
// False: the library does not serve this product, and nothing was done. Needs stream.blas().
bool gemm_library(const LinearTarget& target, const Activations& x, const RoundedRows& rounded, Stream& stream);

}  // namespace lava::cuda
