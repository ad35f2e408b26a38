// Few rows, quantised weights, activations in 8 bits per block of 32: products by dp4a.
#include "kernels/linear/gemv_packed.cuh"

namespace lava::cuda {
namespace {

// The part of a prepared row that a lane meets in a unit.
struct LaneX {
  int first, second;        // codes 4 line .. + 3, and those 16 further on
  float scale, sum;         // of the block; sum: scale times all codes, for mins
  int minus[2];             // negated sums of both halves, or of the whole in the first
};

template <DType format>
__device__ inline LaneX lane_x(const std::byte* row, const PreparedRow& parts, const LaneUnit& at) {
  constexpr PackedFormat f = packed_format(format);
  const int64_t u = at.unit;
  LaneX x{};
  x.first = static_cast<int>(word_of(row, 8 * u + at.line)), x.second = static_cast<int>(word_of(row, 8 * u + 4 + at.line));
  x.scale = __uint_as_float(word_of(row + parts.scale_at, u));
  if constexpr (f.has_min) x.sum = __uint_as_float(word_of(row + parts.sum_at, u));
  if constexpr (f.factors > 0 && !f.has_min) {
    x.minus[0] = static_cast<int>(word_of(row + parts.minus_half_at, 2 * u)), x.minus[1] = static_cast<int>(word_of(row + parts.minus_half_at, 2 * u + 1));
  } else if constexpr (lane_offset<format>() > 0) {
    x.minus[0] = static_cast<int>(word_of(row + parts.minus_sum_at, u));
  }
  return x;
}

// scale (sum of codes * codes of x - offset * sum of codes of x) + min * sum of x; offset and min are counted once, by the lanes of line 0.
template <DType format>
__device__ inline float lane_product(const CodeWords& codes, const UnitFactors& w, const LaneX& x, bool once) {
  constexpr PackedFormat f = packed_format(format);
  constexpr int offset = lane_offset<format>();
  int first = once ? offset * x.minus[0] : 0;
  float value;
  if constexpr (f.factors > 0 && !f.has_min) {  // Q6_K: a scale per 16 values
    int second = once ? offset * x.minus[1] : 0;
    first = __dp4a(static_cast<int>(codes.first), x.first, first), second = __dp4a(static_cast<int>(codes.second), x.second, second);
    value = (static_cast<float>(first) * w.scale[0] + static_cast<float>(second) * w.scale[1]) * x.scale;
  } else {
    first = __dp4a(static_cast<int>(codes.second), x.second, __dp4a(static_cast<int>(codes.first), x.first, first));
    value = static_cast<float>(first) * (w.scale[0] * x.scale);
  }
  if constexpr (f.has_min) value += once ? w.min * x.sum : 0.0f;
  return value;
}

template <DType format, int rows>
__global__ __launch_bounds__(gemv_threads) void gemv_fast_kernel(GemvArgs a, const std::byte* prepared, PreparedRow parts) {
  gemv_block<format, rows>(a, [&](const LaneUnit& at, float (&sums)[lane_rows][rows]) {
    CodeWords codes[lane_rows];
    UnitFactors factors[lane_rows];
    lane_codes<format>(at, codes);
    lane_factors<format>(at, factors);
#pragma unroll
    for (int m = 0; m < rows; ++m) {
      const LaneX x = lane_x<format>(prepared + (m < a.rows ? m : 0) * parts.bytes, parts, at);  // rows that do not exist repeat the first
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
      case 1: return launch(stream, gemv_fast_kernel<format, 1>, grid, gemv_threads, 0, args, prepared, parts);
      case 2: return launch(stream, gemv_fast_kernel<format, 2>, grid, gemv_threads, 0, args, prepared, parts);
      case 4: return launch(stream, gemv_fast_kernel<format, 4>, grid, gemv_threads, 0, args, prepared, parts);
      default: return launch(stream, gemv_fast_kernel<format, 8>, grid, gemv_threads, 0, args, prepared, parts);
    }
  });
}

}  // namespace lava::cuda
