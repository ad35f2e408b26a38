// Highway for *_cpu.cpp: one static target per object, named by LAVA_ISA. Everything lives in an unnamed namespace, so that
// no code compiled for one level can be merged into another by the linker.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"

static_assert(HWY_STATIC_TARGET == LAVA_HWY_TARGET, "the compiler flags of this level do not select its Highway target");

namespace lava::LAVA_ISA {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::Vec<FloatTag>;
constexpr FloatTag df;
constexpr int64_t lanes = HWY_MAX_BYTES / 4;  // float32 values of a vector; every level here has a fixed width
constexpr int vector_registers = HWY_TARGET <= HWY_AVX3 || !HWY_ARCH_X86 ? 32 : 16;

HWY_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
HWY_INLINE int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

HWY_INLINE FloatVec load(const float* p) { return hn::LoadU(df, p); }
HWY_INLINE FloatVec load(const uint16_t* p) {  // binary16
  const hn::Rebind<hwy::float16_t, FloatTag> dh;
  return hn::PromoteTo(df, hn::LoadU(dh, reinterpret_cast<const hwy::float16_t*>(p)));
}
// The first n < lanes values, then zeros. Reads nothing behind them.
template <class T>
HWY_INLINE FloatVec load_part(const T* p, int64_t n) {
  HWY_ALIGN T buffer[lanes] = {};
  std::memcpy(buffer, p, static_cast<size_t>(n) * sizeof(T));
  return load(buffer);
}
HWY_INLINE void store(FloatVec v, float* p) { hn::StoreU(v, df, p); }
HWY_INLINE void store_part(FloatVec v, float* p, int64_t n) {
  HWY_ALIGN float buffer[lanes];
  hn::Store(v, df, buffer);
  std::memcpy(p, buffer, static_cast<size_t>(n) * sizeof(float));
}
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
HWY_INLINE FloatVec load_part(const float* p, int64_t n) { return hn::MaskedLoad(hn::FirstN(df, static_cast<size_t>(n)), df, p); }
#endif

// Stores the first `valid` lanes (all if there are more); `add` adds to what is there.
HWY_INLINE void put(FloatVec value, float* out, int64_t valid, bool add) {
  if (HWY_LIKELY(valid >= lanes)) {
    store(add ? hn::Add(value, load(out)) : value, out);
  } else if (valid > 0) {
    store_part(add ? hn::Add(value, load_part(out, valid)) : value, out, valid);
  }
}

HWY_INLINE FloatVec splat(float x) { return hn::Set(df, x); }
HWY_INLINE float sum_of(FloatVec v) { return hn::GetLane(hn::SumOfLanes(df, v)); }
// Lane i is the sum of v[i]: a tree that transposes while it adds, a third of the instructions of as many sum_of().
HWY_INLINE FloatVec sums_of(const FloatVec (&v)[lanes]) {
  const hn::RepartitionToWide<FloatTag> d2;
  // Within each block of four lanes: the four partial sums of v[a], v[b], v[c], v[d].
  const auto four = [&](int64_t a) HWY_ATTR {
    const FloatVec ab = hn::Add(hn::InterleaveLower(df, v[a], v[a + 1]), hn::InterleaveUpper(df, v[a], v[a + 1]));
    const FloatVec cd = hn::Add(hn::InterleaveLower(df, v[a + 2], v[a + 3]), hn::InterleaveUpper(df, v[a + 2], v[a + 3]));
    const auto ab2 = hn::BitCast(d2, ab), cd2 = hn::BitCast(d2, cd);
    return hn::Add(hn::BitCast(df, hn::InterleaveLower(d2, ab2, cd2)), hn::BitCast(df, hn::InterleaveUpper(d2, ab2, cd2)));
  };
  if constexpr (lanes == 4) {
    return four(0);
  } else {
    const auto halves = [&](FloatVec low, FloatVec high) HWY_ATTR { return hn::Add(hn::ConcatLowerLower(df, high, low), hn::ConcatUpperUpper(df, high, low)); };
    if constexpr (lanes == 8) {
      return halves(four(0), four(4));
    } else {
      const FloatVec even = halves(four(0), four(8)), odd = halves(four(4), four(12));  // blocks of two results each, still in two parts
      const auto joined = [](FloatVec x) HWY_ATTR { return hn::Add(x, hn::SwapAdjacentBlocks(x)); };
      return hn::OddEvenBlocks(joined(odd), joined(even));
    }
  }
}
HWY_INLINE float max_of(FloatVec v) { return hn::GetLane(hn::MaxOfLanes(df, v)); }

// out[i] = f(load(x + i)...) over n values; every array may be `out` itself.
template <class F, class... In>
HWY_INLINE void map(int64_t n, float* out, const F& f, const In*... x) {
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(f(load(x + i)...), out + i);
  if (i < n) store_part(f(load_part(x + i, n - i)...), out + i, n - i);
}

}  // namespace
}  // namespace lava::LAVA_ISA
