// The integer dot product under the fast kernels: per lane, four unsigned weight codes times four signed activation codes.
// Included only by *_cpu.cpp files, where LAVA_INTEGER_DOTS is 1.
#pragma once
#include "kernels/linear/unit_cpu.h"

namespace lava::LAVA_ISA {
namespace {

// The activations of one row, as pointers into its PreparedRow.
struct PreparedView {
  const int8_t* code;
  const float* scale;
  const float* sum;
  const int32_t* minus_sum;
  const int32_t* minus_half;
};

// Broadcast of the four codes at p.
HWY_INLINE VI load_four(const int8_t* p) {
  int32_t four;
  __builtin_memcpy(&four, p, 4);
  return hn::Set(di, four);
}

#if defined(__AVX512VNNI__)
template <DType format>
struct Dots {
  static constexpr int offset = Unit<format>::f.offset;  // VPDPBUSD takes the codes as stored
  static constexpr int steps_in_16_bits = 0;             // it adds in 32 bits

  static HWY_INLINE VI dot_four(VI sum, VU codes, VI x) { return VI{_mm512_dpbusd_epi32(sum.raw, codes.raw, x.raw)}; }
};
#else
template <DType format>
struct Dots {
  static constexpr int offset = Unit<format>::offset;
  // How many products of VPMADDUBSW (pairs of codes times 127) add up in 16 bits.
  static constexpr int steps_in_16_bits = Unit<format>::f.low == 512   ? 1
                                          : Unit<format>::f.high == 0  ? 8
                                          : Unit<format>::f.high == 64 ? 4
                                                                       : 2;

  static HWY_INLINE VI pair_products(VU codes, VI x) {
    if constexpr (Unit<format>::signed_codes) {  // |w| times x with the sign of w: pairs stay below 2 * 128 * 127
      const __m256i w = _mm256_xor_si256(codes.raw, _mm256_set1_epi8(static_cast<char>(0x80)));
      return VI{_mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x.raw, w))};
    } else {
      return VI{_mm256_maddubs_epi16(codes.raw, x.raw)};
    }
  }
  static HWY_INLINE VI add_pairs(VI a, VI b) { return VI{_mm256_add_epi16(a.raw, b.raw)}; }
  static HWY_INLINE VI add_to_sum(VI sum, VI pairs) {
    return VI{_mm256_add_epi32(sum.raw, _mm256_madd_epi16(pairs.raw, _mm256_set1_epi16(1)))};
  }
};
#endif

// minus_sum times the format's offset: what a dot product of codes as stored starts from.
template <DType format>
HWY_INLINE VI start_from(int32_t minus_sum) {
  constexpr int offset = Dots<format>::offset;
  if constexpr (offset == 0) {
    return hn::Zero(di);
  } else {
    constexpr int shift = offset == 8 ? 3 : offset == 16 ? 4 : offset == 32 ? 5 : 7;
    static_assert(offset == 1 << shift);
    return hn::ShiftLeft<shift>(hn::Set(di, minus_sum));
  }
}

}  // namespace
}  // namespace lava::LAVA_ISA
