// Few rows, quantised weights, activations in float32.
#include "kernels/linear/gemv_packed.cuh"

namespace lava::cuda {
namespace {

template <DType format, int rows>
__global__ __launch_bounds__(gemv_threads) void gemv_exact_kernel(GemvArgs a, Activations x) {
  gemv_block<format, rows>(a, [&](const LaneUnit& at, float (&sums)[lane_rows][rows]) {
    constexpr int offset = lane_offset<format>();
    CodeWords codes[lane_rows];
    UnitFactors factors[lane_rows];
    lane_codes<format>(at, codes);
    lane_factors<format>(at, factors);
#pragma unroll
    for (int m = 0; m < rows; ++m) {
      const float* values = x.data + (m < a.rows ? m : 0) * x.stride + 32 * at.unit + 4 * at.line;  // rows that do not exist repeat the first
      float low[4], high[4], total = 0;
#pragma unroll
      for (int i = 0; i < 4; ++i) low[i] = values[i], high[i] = values[16 + i], total += low[i] + high[i];
#pragma unroll
      for (int r = 0; r < lane_rows; ++r) {
        float first = 0, second = 0;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int shift = 24 - 8 * i;  // the byte, with its sign: only codes of Q8_0 have one
          first += static_cast<float>((static_cast<int>(codes[r].first << shift) >> 24) - offset) * low[i];
          second += static_cast<float>((static_cast<int>(codes[r].second << shift) >> 24) - offset) * high[i];
        }
        sums[r][m] += first * factors[r].scale[0] + second * factors[r].scale[1] + factors[r].min * total;
      }
    }
  });
}

}  // namespace

void gemv_exact(const TargetRun& run, const Activations& x, Stream& stream) {
  const GemvArgs args = gemv_args(run, x);
  const dim3 grid = gemv_grid(run);
  with_packed_format(run.target[0].weight.format, [&]<DType format>() {
    if (x.rows == 1) return launch(stream, gemv_exact_kernel<format, 1>, grid, gemv_threads, 0, args, x);
    launch(stream, gemv_exact_kernel<format, 8>, grid, gemv_threads, 0, args, x);
  });
}

}  // namespace lava::cuda
