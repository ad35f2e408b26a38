// Numbers of keys and values as a cache holds them; the loops of attention are written once over these.
// vectors<n>: n vectors from value i on, a multiple of n * lanes; n divides `together`, the vectors that cost least when they are widened at once.
#pragma once
#include "kernels/cpu/simd.h"
#include "kernels/formats/formats.h"
#include "kernels/tensor.h"

namespace lava::LAVA_ISA {
namespace {

template <class Elements>
HWY_INLINE FloatVec vector_at(const std::byte* row, int64_t i) {
  FloatVec one[1];
  Elements::template vectors<1>(row, i, one);
  return one[0];
}

// float, or binary16 as uint16_t
template <class T>
struct Plain {
  static constexpr int together = 1;
  static constexpr int64_t bytes(int64_t n) { return n * static_cast<int64_t>(sizeof(T)); }
  static HWY_INLINE const T* at(const std::byte* row, int64_t i) { return reinterpret_cast<const T*>(row) + i; }
  template <int n>
  static HWY_INLINE void vectors(const std::byte* row, int64_t i, FloatVec* out) {
    for (int c = 0; c < n; ++c) out[c] = load(at(row, i + c * lanes));
  }
  static HWY_INLINE FloatVec part(const std::byte* row, int64_t i, int64_t n) { return load_part(at(row, i), n); }
  static HWY_INLINE float one(const std::byte* row, int64_t i) {
    if constexpr (sizeof(T) == 2) return half_to_float(*at(row, i));
    else return *at(row, i);
  }
};

// Q8_0: blocks of 32 codes behind their scale.
struct Coded {
  static constexpr int together = 32 / lanes;  // they share the scale
  static constexpr int64_t bytes(int64_t n) { return n * 34 / 32; }
  template <int n>
  static HWY_INLINE void vectors(const std::byte* row, int64_t i, FloatVec* out) {
    const hn::Rebind<int8_t, FloatTag> d8;
    const hn::Rebind<int32_t, FloatTag> d32;
    const std::byte* block = row + i / 32 * 34;
    const auto* code = reinterpret_cast<const int8_t*>(block) + 2 + i % 32;
    const FloatVec factor = scale(block);
    for (int c = 0; c < n; ++c) out[c] = hn::Mul(hn::ConvertTo(df, hn::PromoteTo(d32, hn::LoadU(d8, code + c * lanes))), factor);
  }
  static HWY_INLINE FloatVec part(const std::byte* row, int64_t i, int64_t) { return vector_at<Coded>(row, i); }  // rows are whole blocks: never asked for
  static HWY_INLINE float one(const std::byte* row, int64_t i) { return q8_0_value(row, i); }

 private:
  static HWY_INLINE uint16_t half(const std::byte* block) {
    uint16_t bits;
    std::memcpy(&bits, block, 2);
    return bits;
  }
  static HWY_INLINE FloatVec scale(const std::byte* block) {
#if !HWY_ARCH_X86 || HWY_TARGET <= HWY_AVX2
    const hn::Rebind<uint16_t, FloatTag> d16;
    const hn::Rebind<hwy::float16_t, FloatTag> dh;
    return hn::PromoteTo(df, hn::BitCast(dh, hn::Set(d16, half(block))));
#else  // without the instruction one value is cheaper than a vector of them
    return splat(half_to_float(half(block)));
#endif
  }
};

struct View {  // of one key head
  const std::byte* data;
  int64_t stride;  // bytes between positions
  HWY_INLINE const std::byte* at(int64_t position) const { return data + position * stride; }
};

View head_view(const Tensor& t, int64_t head) {
  return {t.data + row_bytes(t.dtype, head * t.stride[0]), static_cast<int64_t>(row_bytes(t.dtype, t.stride[1]))};
}

// Calls f.operator()<Elements>() for the format of the cache.
template <class F>
HWY_INLINE void with_elements(DType type, const F& f) {
  if (type == DType::q8_0) return f.template operator()<Coded>();
  if (type == DType::f16) return f.template operator()<Plain<uint16_t>>();
  f.template operator()<Plain<float>>();
}

}  // namespace
}  // namespace lava::LAVA_ISA
