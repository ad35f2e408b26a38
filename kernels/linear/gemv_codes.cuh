// Products of packed weights with 8-bit codes of x (kernels/linear/prepared.h) by dp4a.
#pragma once
#include "kernels/linear/gemv_packed.cuh"

namespace lava::cuda {

// Where codes are read from: memory that nobody writes meanwhile, or the block's own shared memory.
enum class CodesIn : uint8_t { memory, shared };
template <CodesIn place>
__device__ inline uint32_t code_word(const std::byte* p, int64_t i) {
  if constexpr (place == CodesIn::memory) return word_of(p, i);
  return reinterpret_cast<const uint32_t*>(p)[i];
}

// The part of a prepared row that a lane meets in a unit.
struct LaneX {
  int first, second;        // codes 4 line .. + 3, and those 16 further on
  float scale, sum;         // of the block; sum: scale times all codes, for mins
  int minus[2];             // negated sums of both halves, or of the whole in the first
};

template <DType format, CodesIn place>
__device__ inline LaneX lane_x(const std::byte* row, const PreparedRow& parts, const LaneUnit& at) {
  constexpr PackedFormat f = packed_format(format);
  const int64_t u = at.unit;
  LaneX x{};
  x.first = static_cast<int>(code_word<place>(row, 8 * u + at.line)), x.second = static_cast<int>(code_word<place>(row, 8 * u + 4 + at.line));
  x.scale = __uint_as_float(code_word<place>(row + parts.scale_at, u));
  if constexpr (f.has_min) x.sum = __uint_as_float(code_word<place>(row + parts.sum_at, u));
  if constexpr (f.factors > 0 && !f.has_min) {
    x.minus[0] = static_cast<int>(code_word<place>(row + parts.minus_half_at, 2 * u)), x.minus[1] = static_cast<int>(code_word<place>(row + parts.minus_half_at, 2 * u + 1));
  } else if constexpr (lane_offset<format>() > 0) {
    x.minus[0] = static_cast<int>(code_word<place>(row + parts.minus_sum_at, u));
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

}  // namespace lava::cuda
