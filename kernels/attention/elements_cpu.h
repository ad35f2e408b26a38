// What the processor's attention reads: caches as they lie, keys and values of a block of positions widened to float32, and rows of values in place.
// Included only by *_cpu.cpp files of this folder.
#pragma once
#include "kernels/attention/attention_cpu.h"
#include "kernels/cpu/simd.h"
#include "kernels/half.h"

namespace lava::LAVA_ISA {
namespace {

constexpr int64_t block = 64;  // positions that are worked on together

struct View {  // of one key head
  const std::byte* data;
  int64_t stride;  // bytes between positions, of whole units where they are interleaved
  HWY_INLINE const std::byte* at(int64_t position) const { return data + position * stride; }
};

View head_view(const Tensor& t, int64_t head) {
  return {t.data + row_bytes(t.dtype, head * t.stride[0]), static_cast<int64_t>(row_bytes(t.dtype, t.stride[1]))};
}

View unit_view(const Tensor& t, int64_t head) { return {unit_of(t, head, 0), static_cast<int64_t>(row_bytes(t.dtype, cache_unit * t.extent[2])) / cache_unit}; }

// The layouts. All of them pack 64 keys from `first` on as float32 [d, 64], columns from `count` on are anything, and values as [count, padded].

// Rows of float or binary16.
template <class T>
struct Rows {
  static constexpr int64_t bytes(int64_t n) { return n * static_cast<int64_t>(sizeof(T)); }
  static HWY_INLINE const T* at(const std::byte* row, int64_t i) { return reinterpret_cast<const T*>(row) + i; }
  static HWY_INLINE FloatVec whole(const std::byte* row, int64_t i) { return load(at(row, i)); }
  static HWY_INLINE FloatVec part(const std::byte* row, int64_t i, int64_t n) { return load_part(at(row, i), n); }

  static void pack_values(float* packed, const Tensor& v, int64_t head, int64_t first, int64_t count, int64_t padded) {
    const View rows = head_view(v, head);
    const int64_t d = v.extent[2];
    for (int64_t j = 0; j < count; ++j) {
      const std::byte* row = rows.at(first + j);
      int64_t i = 0;
      for (; i + lanes <= d; i += lanes) store(whole(row, i), packed + j * padded + i);
      if (i < d) store(part(row, i, d - i), packed + j * padded + i);
    }
  }
};

struct FloatCache {
  using Values = Rows<float>;
  static View keys_of(const Tensor& t, int64_t head) { return head_view(t, head); }
  static View values_of(const Tensor& t, int64_t head) { return head_view(t, head); }

  static void pack_keys(float* packed, const Tensor& k, int64_t head, int64_t first, int64_t count) {
    const View rows = head_view(k, head);
    const int64_t d = k.extent[2];
    HWY_ALIGN float quad[4 * lanes];
    int64_t j = 0;
    for (; j + 4 <= count; j += 4) {
      const float* row[4];
      for (int64_t r = 0; r < 4; ++r) row[r] = Values::at(rows.at(first + j + r), 0);
      int64_t i = 0;
      for (; i + lanes <= d; i += lanes) {
        hn::StoreInterleaved4(load(row[0] + i), load(row[1] + i), load(row[2] + i), load(row[3] + i), df, quad);
        for (int64_t t = 0; t < lanes; ++t) std::memcpy(packed + (i + t) * block + j, quad + 4 * t, 16);
      }
      for (; i < d; ++i) {
        for (int r = 0; r < 4; ++r) packed[i * block + j + r] = row[r][i];
      }
    }
    for (; j < count; ++j) {
      for (int64_t i = 0; i < d; ++i) packed[i * block + j] = Values::at(rows.at(first + j), i)[0];
    }
  }
};

struct HalfCache {
  using Values = Rows<uint16_t>;
  static View keys_of(const Tensor& t, int64_t head) { return unit_view(t, head); }
  static View values_of(const Tensor& t, int64_t head) { return head_view(t, head); }

  static void pack_keys(float* packed, const Tensor& k, int64_t head, int64_t first, int64_t count) {
    for (int64_t j = 0; j < count; j += cache_unit) {
      const auto* unit = reinterpret_cast<const uint16_t*>(unit_of(k, head, first + j));
      for (int64_t i = 0; i < k.extent[2]; ++i) {
        for (int64_t x = 0; x < cache_unit; x += lanes) store(load(unit + i * cache_unit + x), packed + i * block + j + x);
      }
    }
  }
};

struct CodedCache {
  static View keys_of(const Tensor& t, int64_t head) { return unit_view(t, head); }
  static View values_of(const Tensor& t, int64_t head) { return unit_view(t, head); }

  static constexpr hn::Rebind<int32_t, FloatTag> d32{};
  using Codes = hn::Vec<decltype(d32)>;
  struct Values {
    // Values of neighbouring positions lie side by side.
    static void pack_values(float* packed, const Tensor& v, int64_t head, int64_t first, int64_t count, int64_t padded) {
      for (int64_t j = 0; j < count; j += 2) {
        const std::byte* part = unit_of(v, head, first + j);
        const int64_t p = j % cache_unit;
        for (int64_t i = 0; i < v.extent[2]; i += coded_channels, part += coded_part) {
          const FloatVec even = splat(half_to_float(scales(part)[p])), odd = splat(half_to_float(scales(part)[p + 1]));
          for (int64_t c = 0; c < coded_channels; c += lanes) {
            const Codes two = pairs(part + coded_scales + code_place(DType::q8_values, p, c));
            float* out = packed + j * padded + i + c;
            store(hn::Mul(first_of(two), even), out);
            if (j + 1 < count) store(hn::Mul(second_of(two), odd), out + padded);
          }
        }
      }
    }
  };

  static void pack_keys(float* packed, const Tensor& k, int64_t head, int64_t first, int64_t count) {
    for (int64_t j = 0; j < count; j += cache_unit) {
      const std::byte* part = unit_of(k, head, first + j);
      for (int64_t i = 0; i < k.extent[2]; i += coded_channels, part += coded_part) {
        for (int64_t x = 0; x < cache_unit; x += lanes) {
          const FloatVec scale = load(scales(part) + x);
          for (int64_t c = 0; c < coded_channels; c += 2) {
            const Codes two = pairs(part + coded_scales + code_place(DType::q8_keys, x, c));
            store(hn::Mul(first_of(two), scale), packed + (i + c) * block + j + x);
            store(hn::Mul(second_of(two), scale), packed + (i + c + 1) * block + j + x);
          }
        }
      }
    }
  }

  static HWY_INLINE const uint16_t* scales(const std::byte* part) { return reinterpret_cast<const uint16_t*>(part); }

 private:
  static HWY_INLINE Codes pairs(const std::byte* p) {
    const hn::Rebind<int16_t, FloatTag> d16;
    return hn::PromoteTo(d32, hn::LoadU(d16, reinterpret_cast<const int16_t*>(p)));
  }
  static HWY_INLINE FloatVec first_of(Codes two) { return hn::ConvertTo(df, hn::ShiftRight<24>(hn::ShiftLeft<24>(two))); }
  static HWY_INLINE FloatVec second_of(Codes two) { return hn::ConvertTo(df, hn::ShiftRight<8>(two)); }
};

// Calls f.operator()<Cache>() for the layout of a cache.
template <class F>
HWY_INLINE void with_layout(const AttentionArgs& a, const F& f) {
  if (a.k.dtype == DType::q8_keys) return f.template operator()<CodedCache>();
  if (a.k.dtype == DType::f16_keys) return f.template operator()<HalfCache>();
  LAVA_CHECK(a.k.dtype == DType::f32);  // the processor's own caches are interleaved: DeviceInfo::interleaves_cache
  f.template operator()<FloatCache>();
}

}  // namespace
}  // namespace lava::LAVA_ISA
