// Few rows, weights in F32, F16 or BF16 as they lie in the file, activations in float32. A warp per output.
#include "kernels/linear/linear_cuda.cuh"

namespace lava::cuda {
namespace {

constexpr int threads = 256, warps = threads / warp_size, tile = 4;  // tile: rows of x together

struct RowsArgs {
  WeightView weight;
  Output output, factor_output;
  WeightView factor;  // gated: the second target
  Activations x;
  bool vectors, gated;  // vectors: 16 bytes may be read at once
};

template <DType format>
__device__ inline void unpack(const uint4& v, float (&w)[format == DType::f32 ? 4 : 8]) {
  const uint32_t words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (format == DType::f32) {
      w[i] = __uint_as_float(words[i]);
    } else if constexpr (format == DType::f16) {
      w[2 * i] = half_value(static_cast<uint16_t>(words[i])), w[2 * i + 1] = half_value(static_cast<uint16_t>(words[i] >> 16));
    } else {
      w[2 * i] = __uint_as_float(words[i] << 16), w[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
    }
  }
}

// Products of one output with `rows` rows of x from `first` on; every lane gets the sums.
template <DType format, int rows>
__device__ void dot_rows(const WeightView& weight, int64_t o, const Activations& x, int64_t first, bool vectors, float (&sums)[rows]) {
  constexpr int step = format == DType::f32 ? 4 : 8;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::byte* row = weight.data + o * weight.row_bytes;
  const float* from[rows];
  for (int m = 0; m < rows; ++m) from[m] = x.data + (first + m < x.rows ? first + m : first) * x.stride, sums[m] = 0;
  const int64_t whole = vectors ? weight.in / step * step : 0;
#pragma unroll 2
  for (int64_t k = int64_t{step} * lane; k < whole; k += step * warp_size) {
    float w[step];
    unpack<format>(__ldg(reinterpret_cast<const uint4*>(row + k / step * 16)), w);
#pragma unroll
    for (int m = 0; m < rows; ++m) {
#pragma unroll
      for (int i = 0; i < step; ++i) sums[m] += w[i] * from[m][k + i];
    }
  }
  for (int64_t k = whole + lane; k < weight.in; k += warp_size) {
    const float w = row_value(format, row, k);
    for (int m = 0; m < rows; ++m) sums[m] += w * from[m][k];
  }
  for (int m = 0; m < rows; ++m) sums[m] = warp_sum(sums[m]);
}

// blockIdx.y: tile of rows.
template <DType format, int rows>
__global__ __launch_bounds__(threads) void gemv_rows_kernel(RowsArgs a) {
  const int64_t o = static_cast<int64_t>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / warp_size, first = static_cast<int64_t>(blockIdx.y) * rows;
  if (o >= a.weight.out) return;  // whole warps leave
  float sums[rows], factors[rows] = {};
  dot_rows<format, rows>(a.weight, o, a.x, first, a.vectors, sums);
  if (a.gated) dot_rows<format, rows>(a.factor, o, a.x, first, a.vectors, factors);
  if (threadIdx.x % warp_size != 0) return;
  for (int m = 0; m < rows && first + m < a.x.rows; ++m) {
    float value = a.output.finished(sums[m], o);
    if (a.gated) {
      const float factor = a.factor_output.finished(factors[m], o);
      a.factor_output.store(factor, first + m, o);
      value *= factor;
    }
    a.output.store(value, first + m, o);
  }
}

bool takes_vectors(const WeightView& w) { return reinterpret_cast<uintptr_t>(w.data) % 16 == 0 && w.row_bytes % 16 == 0; }

template <DType format>
void launch_rows(const RowsArgs& a, Stream& stream) {
  dim3 grid = blocks_for(a.weight.out, warps);
  if (a.x.rows == 1) return launch(stream, gemv_rows_kernel<format, 1>, grid, threads, 0, a);
  grid.y = static_cast<unsigned>(ceil_div(a.x.rows, tile));
  launch(stream, gemv_rows_kernel<format, tile>, grid, threads, 0, a);
}

void launch_target(const RowsArgs& a, Stream& stream) {
  if (a.weight.format == DType::f32) return launch_rows<DType::f32>(a, stream);
  if (a.weight.format == DType::f16) return launch_rows<DType::f16>(a, stream);
  launch_rows<DType::bf16>(a, stream);
}

}  // namespace

void gemv_rows(const TargetRun& run, const Activations& x, Stream& stream) {
  for (int t = 0; t < (run.gated ? 1 : run.count); ++t) {
    const LinearTarget& target = run.target[t];
    const LinearTarget& factor = run.gated ? run.target[1] : target;
    RowsArgs a{view_of(target.weight), output_of(target), output_of(factor), view_of(factor.weight), x, false, run.gated};
    a.vectors = takes_vectors(a.weight) && takes_vectors(a.factor);
    launch_target(a, stream);
  }
}

}  // namespace lava::cuda
