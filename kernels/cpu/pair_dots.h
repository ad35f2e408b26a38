// Dot products of neighbours: per 32-bit lane, two 16-bit values times two others, added to a sum. Included only by *_cpu.cpp files.
#pragma once
#include "kernels/cpu/simd.h"

namespace lava::LAVA_ISA {
namespace {

constexpr hn::Rebind<int32_t, FloatTag> pair_sums;
constexpr hn::Repartition<int16_t, FloatTag> pair_values;
using PairSum = hn::Vec<decltype(pair_sums)>;
using Pairs = hn::Vec<decltype(pair_values)>;

HWY_INLINE PairSum add_pairs(PairSum sum, Pairs a, Pairs b) {
#if defined(__AVX512VNNI__)
  return PairSum{_mm512_dpwssd_epi32(sum.raw, a.raw, b.raw)};
#elif HWY_ARCH_X86 && HWY_MAX_BYTES == 32
  return hn::Add(sum, PairSum{_mm256_madd_epi16(a.raw, b.raw)});
#elif HWY_ARCH_X86
  return hn::Add(sum, PairSum{_mm_madd_epi16(a.raw, b.raw)});
#elif HWY_ARCH_ARM
  const int32x4_t low = vmull_s16(vget_low_s16(a.raw), vget_low_s16(b.raw)), high = vmull_s16(vget_high_s16(a.raw), vget_high_s16(b.raw));
  return hn::Add(sum, PairSum{vpaddq_s32(low, high)});
#else
  const auto first = [](Pairs v) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(hn::BitCast(pair_sums, v))); };
  const auto second = [](Pairs v) { return hn::ShiftRight<16>(hn::BitCast(pair_sums, v)); };
  return hn::Add(sum, hn::Add(hn::Mul(first(a), first(b)), hn::Mul(second(a), second(b))));
#endif
}

// 8-bit values, widened.
HWY_INLINE Pairs load_pairs(const std::byte* p) {
  const hn::Rebind<int8_t, decltype(pair_values)> d8;
  return hn::PromoteTo(pair_values, hn::LoadU(d8, reinterpret_cast<const int8_t*>(p)));
}
// The same two values in every lane.
HWY_INLINE Pairs splat_pair(const int16_t* p) {
  int32_t two;
  std::memcpy(&two, p, 4);
  return hn::BitCast(pair_values, hn::Set(pair_sums, two));
}
// Rounded to 16 bits. |x| < 2^15: added to 1.5 2^23, its last bits are the integer.
HWY_INLINE void store_codes(FloatVec x, int16_t* p) {
  const hn::Rebind<uint32_t, FloatTag> wide;
  const hn::Rebind<uint16_t, FloatTag> narrow;
  hn::StoreU(hn::TruncateTo(narrow, hn::BitCast(wide, hn::Add(x, splat(12582912.0f)))), narrow, reinterpret_cast<uint16_t*>(p));
}

}  // namespace
}  // namespace lava::LAVA_ISA
