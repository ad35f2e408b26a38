// One row, quantised weights: each block norms the row and makes its codes for itself, in shared memory, so that a decoder's layer has no launch for
// either. The block's weights are on their way into the L2 cache meanwhile, if need be since before the kernel that makes the row is complete.
#include "kernels/linear/codes_cuda.cuh"
#include "kernels/linear/gemv_codes.cuh"

namespace lava::cuda {
namespace {

struct StepRow {
  const float* x;
  int64_t in;
  RowNorm norm;
  bool fours;
  int64_t ahead;  // bytes of its weights that a block asks for at once
};

__device__ inline void fetch_weights(const GemvArgs& a, int64_t bytes) {
  const auto block = static_cast<int>(blockIdx.x);
  const auto fetch = [&](const GemvTarget& t, int64_t most) { fetch_ahead(t.weight + (block - t.first_block) * t.group_bytes, most < t.group_bytes ? most : t.group_bytes); };
  if (a.gated) return fetch(a.target[0], bytes / 2), fetch(a.target[1], bytes / 2);
  fetch(a.target[target_of(a)], bytes);
}

template <DType format>
__global__ __launch_bounds__(gemv_threads) void gemv_step_kernel(GemvArgs a, StepRow row, PreparedRow parts) {
  __shared__ float sums[warp_size];
  fetch_weights(a, row.ahead);
  wait_for_previous();
  let_next_start();
  auto* codes = reinterpret_cast<std::byte*>(dynamic_shared());
  const float factor = row.norm.gain ? norm_factor(row.x, row.in, row.fours, row.norm.eps, sums) : 1.0f;
  store_row(codes, parts, {row.x, row.norm.gain, factor, row.fours}, a.units, 4 * (threadIdx.x / warp_size), 4 * gemv_warps);
  __syncthreads();
  gemv_block<format, 1>(a, [&](const LaneUnit& at, float (&sum)[lane_rows][1]) {
    CodeWords words[lane_rows];
    UnitFactors factors[lane_rows];
    lane_codes<format>(at, words);
    lane_factors<format>(at, factors);
    const LaneX x = lane_x<format, CodesIn::shared>(codes, parts, at);
#pragma unroll
    for (int r = 0; r < lane_rows; ++r) sum[r][0] += lane_product<format>(words[r], factors[r], x, at.line == 0);
  });
}

}  // namespace

void gemv_step(const TargetRun& run, const Activations& x, const RowNorm& norm, Stream& stream) {
  const dim3 grid = gemv_grid(run);
  const PreparedRow parts(x.in);
  const StepRow row{x.data, x.in, norm, takes_fours(x), bytes_ahead(stream.l2_bytes(), grid.x)};
  with_packed_format(run.target[0].weight.format, [&]<DType format>() {
    launch_early(stream, gemv_step_kernel<format>, grid, gemv_threads, static_cast<size_t>(parts.bytes), gemv_args(run, x), row, parts);
  });
}

}  // namespace lava::cuda
