// Numbers of keys and values as a cache holds them. Each format widens `lanes` of them at once; the loops of attention are written once.
#pragma once
#include "kernels/cpu/simd.h"
#include "kernels/formats/formats.h"
#include "kernels/tensor.h"

namespace lava::LAVA_ISA {
namespace {

// float, or binary16 as uint16_t
template <class T>
struct Plain {
  static constexpr int64_t bytes(int64_t n) { return n * static_cast<int64_t>(sizeof(T)); }
  static HWY_INLINE const T* at(const std::byte* row, int64_t i) { return reinterpret_cast<const T*>(row) + i; }
  static HWY_INLINE FloatVec vector(const std::byte* row, int64_t i) { return load(at(row, i)); }
  static HWY_INLINE FloatVec part(const std::byte* row, int64_t i, int64_t n) { return load_part(at(row, i), n); }
  static HWY_INLINE float one(const std::byte* row, int64_t i) {
    if constexpr (sizeof(T) == 2) return half_to_float(*at(row, i));
    else return *at(row, i);
  }
};

// Q8_0: blocks of 32 codes behind their scale. Vectors begin at multiples of `lanes`, so that none crosses a block.
struct Coded {
  static constexpr int64_t bytes(int64_t n) { return n * 34 / 32; }
  static HWY_INLINE const std::byte* block_of(const std::byte* row, int64_t i) { return row + i / 32 * 34; }
  static HWY_INLINE FloatVec vector(const std::byte* row, int64_t i) {
    const std::byte* block = block_of(row, i);
    const hn::Rebind<int8_t, FloatTag> d8;
    const hn::Rebind<int32_t, FloatTag> d32;
    const auto code = hn::PromoteTo(d32, hn::LoadU(d8, reinterpret_cast<const int8_t*>(block) + 2 + i % 32));
    return hn::Mul(hn::ConvertTo(df, code), scale(block));
  }
  static HWY_INLINE FloatVec part(const std::byte* row, int64_t i, int64_t) { return vector(row, i); }  // rows are whole blocks: never asked for
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
