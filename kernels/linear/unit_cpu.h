// One unit of the interleaved16 layout (32 values of 16 rows) in vector registers: lanes are rows. Included only by *_cpu.cpp files.
#pragma once
#include "kernels/cpu/simd.h"
#include "kernels/dtype.h"
#include "kernels/linear/pack.h"

namespace lava::LAVA_ISA {
namespace {

using VF = FloatVec;
using IntTag = hn::RebindToSigned<FloatTag>;
using VI = hn::Vec<IntTag>;
using WordTag = hn::RebindToUnsigned<FloatTag>;
using VU = hn::Vec<WordTag>;
constexpr IntTag di;
constexpr WordTag du;
constexpr int64_t vectors = 16 / lanes;  // that hold 16 rows

HWY_INLINE VF zero() { return hn::Zero(df); }

// Asks for the weights a little ahead of the `bytes` at p. The hardware alone follows them only while all units lie at one distance:
// Q4_K was read at 21 GB/s and is at 45, the others went from 37 to 45 (Zen 5, 2026-11, one core).
constexpr int64_t prefetch_ahead = 5120;
HWY_INLINE void prefetch_weights(const void* p, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(p) + prefetch_ahead + i);
}

// Addresses of a unit's parts for rows v * lanes and up.
template <DType format>
struct Unit {
  static constexpr PackedFormat f = packed_format(format);
  static constexpr bool halves = format == DType::q6_k;        // values 0..15 and 16..31 have scales of their own
  static constexpr bool signed_codes = format == DType::q8_0;  // read as i8: no offset to subtract
  static constexpr int offset = signed_codes ? 0 : f.offset;
  const uint8_t* block;
  const uint8_t* unit;

  HWY_INLINE Unit(const std::byte* group, int64_t index)
      : block(reinterpret_cast<const uint8_t*>(group) + index / f.units * f.bytes()),
        unit(block + f.header + index % f.units * f.unit_bytes()) {}

  // Codes of values 4p .. 4p+3: byte i of lane r belongs to value 4p + i of row r. Q8_0 with its sign bit flipped, as stored.
  template <int p>
  HWY_INLINE VU codes(int64_t v) const {
    const uint8_t* low = unit + f.factors + f.high + 4 * v * lanes;
    if constexpr (f.low == 512) {
      return hn::LoadU(du, reinterpret_cast<const uint32_t*>(low + 64 * p));
    } else {
      const VU pair = hn::LoadU(du, reinterpret_cast<const uint32_t*>(low + 64 * (p % 4)));
      const VU nibble = hn::And(p < 4 ? pair : hn::ShiftRight<4>(pair), hn::Set(du, 0x0f0f0f0fu));
      if constexpr (f.high == 0) {
        return nibble;
      } else {
        constexpr int shift = f.high == 128 ? 2 * (p % 4) - 4 : p - 4;  // to the right
        const VU high =
            hn::LoadU(du, reinterpret_cast<const uint32_t*>(unit + f.factors + (f.high == 128 ? 64 * (p / 4) : 0) + 4 * v * lanes));
        const VU moved = shift > 0 ? hn::ShiftRight<(shift > 0 ? shift : 0)>(high) : hn::ShiftLeft<(shift < 0 ? -shift : 0)>(high);
        return hn::Or(nibble, hn::And(moved, hn::Set(du, f.high == 128 ? 0x30303030u : 0x10101010u)));
      }
    }
  }

  // Scale of values 0..15 (half 0) or 16..31 (half 1), and min, of the lanes' rows.
  HWY_INLINE VF scale(int64_t v, int half) const {
    const VF d = half_floats(block + 2 * v * lanes);
    if constexpr (f.factors == 0) return d;
    if constexpr (halves) return hn::Mul(d, small_ints<int8_t>(unit + 16 * half + v * lanes));
    return hn::Mul(d, small_ints<uint8_t>(unit + v * lanes));
  }
  HWY_INLINE VF min(int64_t v) const {
    const VF m = half_floats(block + 32 + 2 * v * lanes);
    if constexpr (f.factors == 0) return m;
    return hn::Neg(hn::Mul(m, small_ints<uint8_t>(unit + 16 + v * lanes)));
  }

 private:
  static HWY_INLINE VF half_floats(const uint8_t* p) { return load(reinterpret_cast<const uint16_t*>(p)); }
  template <class T>
  static HWY_INLINE VF small_ints(const uint8_t* p) {
    const hn::Rebind<T, FloatTag> d;
    return hn::ConvertTo(df, hn::PromoteTo(di, hn::LoadU(d, reinterpret_cast<const T*>(p))));
  }
};

// Calls body(integral_constant-like Quad<p>()) for p = 0..7.
template <int p>
struct Quad {
  static constexpr int index = p;
};
template <class Body>
HWY_INLINE void for_quads(const Body& body) {
  body(Quad<0>());
  body(Quad<1>());
  body(Quad<2>());
  body(Quad<3>());
  body(Quad<4>());
  body(Quad<5>());
  body(Quad<6>());
  body(Quad<7>());
}

// Value i of the four codes in each lane, as float without the format's offset (Q8_0: signed).
template <DType format, int i>
HWY_INLINE VF code_float(VU codes) {
  if constexpr (Unit<format>::signed_codes) {
    const VI flipped = hn::BitCast(di, hn::Xor(codes, hn::Set(du, 0x80808080u)));
    return hn::ConvertTo(df, hn::ShiftRight<24>(hn::ShiftLeft<24 - 8 * i>(flipped)));
  } else {
    const VU byte = i == 3 ? hn::ShiftRight<24>(codes) : hn::And(hn::ShiftRight<8 * i>(codes), hn::Set(du, 0xffu));
    return hn::ConvertTo(df, hn::BitCast(di, byte));
  }
}

// Calls `body` with a Unit type for the format of the matrix.
#define LAVA_FOR_FORMAT(format, function, ...)   \
  switch (format) {                              \
    case DType::q4_0:                            \
      return function<DType::q4_0>(__VA_ARGS__); \
    case DType::q4_1:                            \
      return function<DType::q4_1>(__VA_ARGS__); \
    case DType::q5_0:                            \
      return function<DType::q5_0>(__VA_ARGS__); \
    case DType::q5_1:                            \
      return function<DType::q5_1>(__VA_ARGS__); \
    case DType::q8_0:                            \
      return function<DType::q8_0>(__VA_ARGS__); \
    case DType::q4_k:                            \
      return function<DType::q4_k>(__VA_ARGS__); \
    case DType::q5_k:                            \
      return function<DType::q5_k>(__VA_ARGS__); \
    case DType::q6_k:                            \
      return function<DType::q6_k>(__VA_ARGS__); \
    default:                                     \
      return;                                    \
  }

}  // namespace
}  // namespace lava::LAVA_ISA
