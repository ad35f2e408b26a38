// Many rows in float32: tiles of 64 rows by 64 outputs, 32 values at a time, weights widened into shared memory.
#include "kernels/linear/linear_cuda.cuh"

namespace lava::cuda {
namespace {

constexpr int threads = 256, tile = 64, depth = 32, each = 4, padded = tile + 1;

__device__ void load_x(float (*target)[padded], const Activations& x, int64_t first_row, int64_t first) {
  for (int i = static_cast<int>(threadIdx.x); i < tile * depth; i += threads) {
    const int64_t row = first_row + i / depth, k = first + i % depth;
    target[i % depth][i / depth] = row < x.rows && k < x.in ? x.data[row * x.stride + k] : 0.0f;
  }
}

// Task: eight values of one output; neighbours read what lies side by side.
__device__ void load_weights(float (*target)[padded], const WeightView& weight, int64_t first_output, int64_t unit) {
  const int task = static_cast<int>(threadIdx.x), output = weight.packed ? task % tile : task / 4, line = weight.packed ? task / tile : task % 4;
  float v[8];
  widen8(weight, first_output + output, unit, line, v);
  for (int i = 0; i < 8; ++i) target[4 * line + (i < 4 ? i : 12 + i)][output] = v[i];
}

// blockIdx.x: tile of outputs; blockIdx.y: tile of rows.
__global__ __launch_bounds__(threads) void gemm_f32_kernel(WeightView weight, Output output, Activations x) {
  __shared__ float xs[depth][padded], ws[depth][padded];
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * tile, first_output = static_cast<int64_t>(blockIdx.x) * tile;
  const int r0 = static_cast<int>(threadIdx.x) / 16, o0 = static_cast<int>(threadIdx.x) % 16;  // rows r0 + 16 i, outputs o0 + 16 j
  float sum[each][each] = {};
  for (int64_t unit = 0; unit < (x.in + depth - 1) / depth; ++unit) {
    load_x(xs, x, first_row, depth * unit);
    load_weights(ws, weight, first_output, unit);
    __syncthreads();
#pragma unroll 8
    for (int k = 0; k < depth; ++k) {
      float a[each], b[each];
#pragma unroll
      for (int i = 0; i < each; ++i) a[i] = xs[k][r0 + 16 * i], b[i] = ws[k][o0 + 16 * i];
#pragma unroll
      for (int i = 0; i < each; ++i)
#pragma unroll
        for (int j = 0; j < each; ++j) sum[i][j] += a[i] * b[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < each; ++i) {
    for (int j = 0; j < each; ++j) {
      const int64_t row = first_row + r0 + 16 * i, o = first_output + o0 + 16 * j;
      if (row < x.rows && o < output.width) output.store(output.finished(sum[i][j], o), row, o);
    }
  }
}

}  // namespace

void gemm_f32(const LinearTarget& target, const Activations& x, Stream& stream) {
  static_assert(threads == tile * 4);  // a task of load_weights for each
  constexpr int64_t most_rows = int64_t{tile} * 65535;  // of a grid's second dimension
  LAVA_CHECK(x.rows <= most_rows);
  const dim3 grid(static_cast<unsigned>(ceil_div(target.weight.out, tile)), static_cast<unsigned>(ceil_div(x.rows, tile)));
  launch(stream, gemm_f32_kernel, grid, threads, 0, view_of(target.weight), output_of(target), x);
}

}  // namespace lava::cuda
