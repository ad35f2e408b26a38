// Two to eight rows, quantised weights, activations in 8 bits per block of 32: products by dp4a.
#include "kernels/linear/gemv_codes.cuh"

namespace lava::cuda {
namespace {

template <DType format, int rows>
__global__ __launch_bounds__(gemv_threads) void gemv_fast_kernel(GemvArgs a, const std::byte* prepared, PreparedRow parts) {
  gemv_block<format, rows>(a, [&](const LaneUnit& at, float (&sums)[lane_rows][rows]) {
    CodeWords codes[lane_rows];
    UnitFactors factors[lane_rows];
    lane_codes<format>(at, codes);
    lane_factors<format>(at, factors);
#pragma unroll
    for (int m = 0; m < rows; ++m) {
      const LaneX x = lane_x<format, CodesIn::memory>(prepared + (m < a.rows ? m : 0) * parts.bytes, parts, at);  // rows that do not exist repeat the first
#pragma unroll
      for (int r = 0; r < lane_rows; ++r) sums[r][m] += lane_product<format>(codes[r], factors[r], x, at.line == 0);
    }
  });
}

}  // namespace

void gemv_fast(const TargetRun& run, const Activations& x, const std::byte* prepared, Stream& stream) {
  const GemvArgs args = gemv_args(run, x);
  const PreparedRow parts(x.in);
  const dim3 grid = gemv_grid(run);
  with_packed_format(run.target[0].weight.format, [&]<DType format>() {
    switch (gemv_tile(x.rows)) {
      case 1:  // wider than a step takes it
      case 2: return launch(stream, gemv_fast_kernel<format, 2>, grid, gemv_threads, 0, args, prepared, parts);
      case 4: return launch(stream, gemv_fast_kernel<format, 4>, grid, gemv_threads, 0, args, prepared, parts);
      default: return launch(stream, gemv_fast_kernel<format, 8>, grid, gemv_threads, 0, args, prepared, parts);
    }
  });
}

}  // namespace lava::cuda
