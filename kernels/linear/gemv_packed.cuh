// Few rows against interleaved16 weights. A block takes a group of 16 outputs; its warps take the units of 32 values in turn, two at a time.
// A half warp reads the 256 bytes of a unit's nibbles as 16 vectors: lane i holds line i / 4 (values 4 line .. and 16 + 4 line ..) of rows
// 4 (i % 4) .. + 3 (kernels/linear/pack.h). Sums stay in registers; lanes, then warps, are added at the end.
#pragma once
#include "kernels/linear/linear_cuda.cuh"

namespace lava::cuda {

constexpr int gemv_threads = 256, gemv_warps = gemv_threads / warp_size;
constexpr int group_rows = 16, lane_rows = 4;

struct GemvTarget {
  const std::byte* weight;
  Output output;
  int64_t group_bytes;
  int first_block;
};

struct GemvArgs {
  GemvTarget target[3];
  int targets;
  bool gated;     // a block computes the group of both targets
  int rows;       // of x
  int64_t units;  // of 32 values
};

// Bytes of a lane's part of a unit.
struct LaneUnit {
  int64_t unit;
  int line, quad;  // rows 4 quad .. + 3
  const std::byte *block, *bytes;
};

__device__ inline uint32_t lane_word(const uint4& v, int row) { return row == 0 ? v.x : row == 1 ? v.y : row == 2 ? v.z : v.w; }
__device__ inline uint4 vector_of(const std::byte* p) { return __ldg(reinterpret_cast<const uint4*>(p)); }

// Codes of the lane's four rows, as unsigned bytes; those of Q8_0 as signed ones, without their offset.
template <DType format>
__device__ inline void lane_codes(const LaneUnit& at, CodeWords (&codes)[lane_rows]) {
  constexpr PackedFormat f = packed_format(format);
  const std::byte* high = at.bytes + f.factors;
  const std::byte* low = high + f.high + 64 * at.line + 16 * at.quad;
  const uint4 nibbles = vector_of(low);
  uint4 more{}, top{}, top_second{};
  if constexpr (f.low == 512) more = vector_of(low + 256);
  if constexpr (f.high > 0) top = vector_of(high + 16 * at.quad);
  if constexpr (f.high == 128) top_second = vector_of(high + 64 + 16 * at.quad);
#pragma unroll
  for (int r = 0; r < lane_rows; ++r) {
    const uint32_t word = lane_word(nibbles, r);
    if constexpr (f.low == 512) {
      codes[r] = {word ^ 0x80808080u, lane_word(more, r) ^ 0x80808080u};
    } else {
      codes[r] = {word & 0x0f0f0f0fu, (word >> 4) & 0x0f0f0f0fu};
    }
    if constexpr (f.high == 64) {
      codes[r].first |= ((lane_word(top, r) >> at.line) & 0x01010101u) << 4;
      codes[r].second |= ((lane_word(top, r) >> (4 + at.line)) & 0x01010101u) << 4;
    } else if constexpr (f.high == 128) {
      codes[r].first |= ((lane_word(top, r) >> (2 * at.line)) & 0x03030303u) << 4;
      codes[r].second |= ((lane_word(top_second, r) >> (2 * at.line)) & 0x03030303u) << 4;
    }
  }
}

// What is taken off the codes of lane_codes().
template <DType format>
constexpr int lane_offset() {
  return packed_format(format).low == 512 ? 0 : packed_format(format).offset;
}

// Factors of the lane's four rows.
template <DType format>
__device__ inline void lane_factors(const LaneUnit& at, UnitFactors (&factors)[lane_rows]) {
  constexpr PackedFormat f = packed_format(format);
  const auto halves = [&](int offset) { return __ldg(reinterpret_cast<const uint2*>(at.block + offset + 8 * at.quad)); };
  const auto half_of = [](const uint2& v, int r) { return half_value(static_cast<uint16_t>((r < 2 ? v.x : v.y) >> (16 * (r % 2)))); };
  const uint2 scales = halves(0);
  uint2 mins{};
  uint32_t first = 0, second = 0;
  if constexpr (f.has_min) mins = halves(32);
  if constexpr (f.factors > 0) first = word_of(at.bytes, at.quad), second = word_of(at.bytes, 4 + at.quad);
#pragma unroll
  for (int r = 0; r < lane_rows; ++r) {
    const float scale = half_of(scales, r);
    factors[r] = {{scale, scale}, f.has_min ? half_of(mins, r) : 0.0f};
    if constexpr (f.factors > 0) {
      const auto a = static_cast<float>(static_cast<int8_t>(first >> (8 * r))), b = static_cast<float>(static_cast<int8_t>(second >> (8 * r)));
      factors[r] = f.has_min ? UnitFactors{{scale * a, scale * a}, -(factors[r].min * b)} : UnitFactors{{scale * a, scale * b}, 0.0f};
    }
  }
}

// The sums of a group for `rows` rows of x, in `result` [gemv_warps][rows][group_rows] after a barrier: one part per warp.
// multiply(at, sums): adds the lane's part of a unit to sums [lane_rows][rows].
template <DType format, int rows, class Multiply>
__device__ inline void sum_group(const GemvTarget& target, int64_t group, int64_t units, const Multiply& multiply, float (*result)[rows][group_rows]) {
  constexpr PackedFormat f = packed_format(format);
  constexpr int block_bytes = f.bytes(), unit_bytes = f.unit_bytes();
  const int thread = static_cast<int>(threadIdx.x), warp = thread / warp_size, lane = thread % warp_size, part = lane % 16;
  const std::byte* start = target.weight + group * target.group_bytes;
  float sums[lane_rows][rows] = {};
  LaneUnit at{0, part / 4, part % 4, nullptr, nullptr};
#pragma unroll 2
  for (int64_t u = 2 * warp + lane / 16; u < units; u += 2 * gemv_warps) {
    at.unit = u, at.block = start + u / f.units * block_bytes;
    at.bytes = at.block + f.header + u % f.units * unit_bytes;
    multiply(at, sums);
  }
#pragma unroll
  for (int r = 0; r < lane_rows; ++r) {
#pragma unroll
    for (int m = 0; m < rows; ++m) {
      float sum = sums[r][m];
      for (int distance = 4; distance <= 16; distance *= 2) sum += __shfl_xor_sync(all_lanes, sum, distance);
      if (lane < 4) result[warp][m][4 * lane + r] = sum;
    }
  }
  __syncthreads();
}

template <int rows>
__device__ inline float added(const float (*result)[rows][group_rows], int m, int r) {
  float sum = 0;
#pragma unroll
  for (int w = 0; w < gemv_warps; ++w) sum += result[w][m][r];
  return sum;
}

// A block's work: the group of its target, or of both targets when gated.
template <DType format, int rows, class Multiply>
__device__ inline void gemv_block(const GemvArgs& a, const Multiply& multiply) {
  __shared__ float result[2][gemv_warps][rows][group_rows];
  const int thread = static_cast<int>(threadIdx.x), m = thread / group_rows, r = thread % group_rows;
  const GemvTarget& target = a.target[target_of(a)];
  const int64_t group = static_cast<int>(blockIdx.x) - target.first_block, o = group * group_rows + r;
  sum_group<format, rows>(target, group, a.units, multiply, result[0]);
  if (a.gated) sum_group<format, rows>(a.target[1], group, a.units, multiply, result[1]);
  if (m >= rows || m >= a.rows || o >= target.output.width) return;
  float value = target.output.finished(added<rows>(result[0], m, r), o);
  if (a.gated) {
    const float factor = a.target[1].output.finished(added<rows>(result[1], m, r), o);
    a.target[1].output.store(factor, m, o);
    value *= factor;
  }
  target.output.store(value, m, o);
}

inline GemvArgs gemv_args(const TargetRun& run, const Activations& x) {
  GemvArgs a{};
  a.targets = run.count, a.gated = run.gated, a.rows = static_cast<int>(x.rows), a.units = x.in / 32;
  int blocks = 0;
  for (int t = 0; t < run.count; ++t) {
    const Matrix& w = run.target[t].weight;
    const PackedFormat f = packed_format(w.format);
    a.target[t] = {w.data, output_of(run.target[t]), w.in / f.values() * f.bytes(), run.gated ? 0 : blocks};
    blocks += static_cast<int>(ceil_div(w.out, group_rows));
  }
  return a;
}
inline dim3 gemv_grid(const TargetRun& run) {
  int64_t blocks = 0;
  for (int t = 0; t < (run.gated ? 1 : run.count); ++t) blocks += ceil_div(run.target[t].weight.out, group_rows);
  return dim3(static_cast<unsigned>(blocks));
}

// Calls f.template operator()<format>() for the format of packed weights.
template <class F>
void with_packed_format(DType format, const F& f) {
  switch (format) {
    case DType::q4_0: return f.template operator()<DType::q4_0>();
    case DType::q4_1: return f.template operator()<DType::q4_1>();
    case DType::q5_0: return f.template operator()<DType::q5_0>();
    case DType::q5_1: return f.template operator()<DType::q5_1>();
    case DType::q8_0: return f.template operator()<DType::q8_0>();
    case DType::q4_k: return f.template operator()<DType::q4_k>();
    case DType::q5_k: return f.template operator()<DType::q5_k>();
    case DType::q6_k: return f.template operator()<DType::q6_k>();
    default: LAVA_CHECK(!"not a packed format");
  }
}

}  // namespace lava::cuda
