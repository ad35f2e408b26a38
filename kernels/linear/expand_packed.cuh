// Weights of interleaved16 (kernels/linear/pack.h) as the fragments that tensor cores take, made in registers. Of a unit of 32 values a warp makes two
// fragments A [16 outputs, 16 values] of mma.m16n8k16: lane 4 g + t has line t (values 4 t .. + 3 and 16 + 4 t .. + 3) of the outputs 2 g and 2 g + 1. The
// order of outputs and of values inside a fragment is ours to choose: a lane's two outputs lie side by side, so a warp reads 256 bytes in a row, and
// its four values are a run of x.
#pragma once
#include "kernels/cuda/device_math.cuh"
#include "kernels/cuda/widen.cuh"

namespace lava::cuda {

// Of a lane: [step][a register of A]. Step 0 has the values 4 t .. + 3, step 1 those 16 further on. Registers 0 and 2 are output 2 g: the first pair
// of the four and the second; 1 and 3 are output 2 g + 1.
using UnitFragments = uint32_t[2][4];

// Lane (g, t) for the 32 values of a row of x: four pairs, as B wants them in step 0 and in step 1. The pair that stands at `place` of 16.
__host__ __device__ constexpr int line_pair(int place) { return 2 * (place / 4) + place % 2 + (place % 4 < 2 ? 0 : 8); }

namespace expand {

// Codes become floats by standing in the mantissa of 2^n, which is exact, and is taken off where the value is made: n = 7 holds codes below 128 in
// the third byte of a float, n = 15 any byte in the second.
template <DType format>
struct Magic {
  static constexpr bool wide = packed_format(format).low == 512;
  static constexpr uint32_t bits = wide ? 0x47000000u : 0x43000000u;
  static constexpr float above = static_cast<float>((wide ? 32768 : 128) + packed_format(format).offset);  // what a magic code is too large by

  __device__ static float of(uint32_t codes, int byte) {
    const auto place = static_cast<unsigned>(byte);
    return __uint_as_float(__byte_perm(codes, bits, wide ? 0x7404u | place << 4 : 0x7044u | place << 8));
  }
};

// Of one output in a unit: value = magic code * scale + shift.
struct Line {
  float scale, shift;
};

template <DType format>
__device__ inline uint32_t pair_of(uint32_t codes, int byte, const Line& line) {
  return bf16_pair(fmaf(Magic<format>::of(codes, byte), line.scale, line.shift), fmaf(Magic<format>::of(codes, byte + 1), line.scale, line.shift));
}

__device__ inline uint2 words_at(const std::byte* p) { return *reinterpret_cast<const uint2*>(p); }

// Code words of the outputs 2 g (x) and 2 g + 1 (y): values 4 t .. + 3, and those 16 further on.
struct LaneCodes {
  uint2 first, second;
};

template <DType format>
__device__ inline LaneCodes lane_codes(const std::byte* unit, int g, int t) {
  constexpr PackedFormat f = packed_format(format);
  const std::byte *high = unit + f.factors + 8 * g, *low = high + f.high + 64 * t;
  LaneCodes c;
  c.first = words_at(low);
  if constexpr (f.low == 512) {
    c.second = words_at(low + 256);
    return c;
  }
  c.second = {c.first.x >> 4 & 0x0f0f0f0fu, c.first.y >> 4 & 0x0f0f0f0fu}, c.first = {c.first.x & 0x0f0f0f0fu, c.first.y & 0x0f0f0f0fu};
  if constexpr (f.high == 64) {  // bit t of a byte is the first word's, bit 4 + t the second's
    uint2 bits = words_at(high);
    bits.x >>= t, bits.y >>= t;
    c.first.x |= bits.x << 4 & 0x10101010u, c.first.y |= bits.y << 4 & 0x10101010u;
    c.second.x |= bits.x & 0x10101010u, c.second.y |= bits.y & 0x10101010u;
  } else if constexpr (f.high == 128) {
    const uint2 first = words_at(high), second = words_at(high + 64);
    c.first.x |= first.x >> 2 * t << 4 & 0x30303030u, c.first.y |= first.y >> 2 * t << 4 & 0x30303030u;
    c.second.x |= second.x >> 2 * t << 4 & 0x30303030u, c.second.y |= second.y >> 2 * t << 4 & 0x30303030u;
  }
  return c;
}

// Lines of the first 16 values and of the second, for outputs 2 g and 2 g + 1. Without mins the shift is exact, and so is the value before it is rounded.
template <DType format>
__device__ inline void lane_lines(const std::byte* header, const std::byte* unit, int g, Line (&lines)[2][2]) {
  constexpr PackedFormat f = packed_format(format);
  constexpr float above = Magic<format>::above;
  const auto word = [&](int at) { return *reinterpret_cast<const uint32_t*>(header + at + 4 * g); };
  const auto bytes = [&](int at) { return static_cast<uint32_t>(*reinterpret_cast<const uint16_t*>(unit + at + 2 * g)); };
  const auto signed_byte = [](uint32_t two, int i) { return static_cast<float>(static_cast<int8_t>(two >> 8 * i)); };
  const uint32_t scales = word(0), mins = f.has_min ? word(32) : 0;
  const uint32_t first = f.factors > 0 ? bytes(0) : 0, second = f.factors > 0 ? bytes(16) : 0;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const float scale = half_value(static_cast<uint16_t>(scales >> 16 * i));
    float each[2] = {scale, scale}, min = f.has_min ? half_value(static_cast<uint16_t>(mins >> 16 * i)) : 0.0f;
    if constexpr (f.factors > 0) {
      each[0] = scale * signed_byte(first, i), each[1] = f.has_min ? each[0] : scale * signed_byte(second, i);
      if constexpr (f.has_min) min = -(min * signed_byte(second, i));
    }
    for (int half = 0; half < 2; ++half) lines[half][i] = {each[half], f.has_min ? fmaf(-above, each[half], min) : -above * each[half]};
  }
}

}  // namespace expand

// `header` of the block and `unit` in it, of a group of 16 outputs, 8-byte aligned, in memory of any kind.
template <DType format>
__device__ inline void expand_unit(const std::byte* header, const std::byte* unit, int g, int t, UnitFragments& a) {
  const expand::LaneCodes c = expand::lane_codes<format>(unit, g, t);
  expand::Line lines[2][2];
  expand::lane_lines<format>(header, unit, g, lines);
#pragma unroll
  for (int step = 0; step < 2; ++step) {
    const uint2 codes = step == 0 ? c.first : c.second;
    a[step][0] = expand::pair_of<format>(codes.x, 0, lines[step][0]), a[step][2] = expand::pair_of<format>(codes.x, 2, lines[step][0]);
    a[step][1] = expand::pair_of<format>(codes.y, 0, lines[step][1]), a[step][3] = expand::pair_of<format>(codes.y, 2, lines[step][1]);
  }
}

}  // namespace lava::cuda
