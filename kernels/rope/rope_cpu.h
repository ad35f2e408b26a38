// Rotation of one head, and one position of the cache. Included only by *_cpu.cpp files.
#pragma once
#include "kernels/attention/cache.h"
#include "kernels/cpu/encode_block.h"
#include "kernels/cpu/simd.h"
#include "kernels/formats/formats.h"
#include "kernels/rope/qkv_rope_store.h"

namespace lava::LAVA_ISA {
namespace {

// (a, b) -> (a cos - b sin, b cos + a sin); pairs are (i, i + pairs).
void rotate_half(float* out, const float* x, const float* cosine, const float* sine, int64_t pairs) {
  int64_t i = 0;
  for (; i + lanes <= pairs; i += lanes) {
    const FloatVec a = load(x + i), b = load(x + pairs + i), c = load(cosine + i), s = load(sine + i);
    store(hn::NegMulAdd(b, s, hn::Mul(a, c)), out + i);
    store(hn::MulAdd(a, s, hn::Mul(b, c)), out + pairs + i);
  }
  for (; i < pairs; ++i) {
    const float a = x[i], b = x[pairs + i];
    out[i] = a * cosine[i] - b * sine[i];
    out[pairs + i] = b * cosine[i] + a * sine[i];
  }
}

// The same with pairs (2i, 2i + 1).
void rotate_adjacent(float* out, const float* x, const float* cosine, const float* sine, int64_t pairs) {
  int64_t i = 0;
  for (; i + lanes <= pairs; i += lanes) {
    FloatVec a, b;
    hn::LoadInterleaved2(df, x + 2 * i, a, b);
    const FloatVec c = load(cosine + i), s = load(sine + i);
    hn::StoreInterleaved2(hn::NegMulAdd(b, s, hn::Mul(a, c)), hn::MulAdd(a, s, hn::Mul(b, c)), df, out + 2 * i);
  }
  for (; i < pairs; ++i) {
    const float a = x[2 * i], b = x[2 * i + 1];
    out[2 * i] = a * cosine[i] - b * sine[i];
    out[2 * i + 1] = b * cosine[i] + a * sine[i];
  }
}

// Head x at `position`; out may be x.
void rotate(const QkvRopeStoreArgs& a, float* out, const float* x, int64_t position) {
  const int64_t rotary = a.cos_sin.extent[1], d = a.q.extent[2];
  const float* cosine = a.cos_sin.as<float>() + position * rotary;
  const auto turn = a.style == RopeStyle::half ? &rotate_half : &rotate_adjacent;
  turn(out, x, cosine, cosine + rotary / 2, rotary / 2);
  if (out != x) std::memcpy(out + rotary, x + rotary, static_cast<size_t>(d - rotary) * sizeof(float));
}

void to_half(uint16_t* out, const float* x, int64_t n) {
  int64_t i = 0;
#if !HWY_ARCH_X86 || HWY_TARGET <= HWY_AVX2  // lower x86 targets would truncate instead of rounding
  const hn::Rebind<hwy::float16_t, FloatTag> dh;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::DemoteTo(dh, load(x + i)), dh, reinterpret_cast<hwy::float16_t*>(out + i));
#endif
  for (; i < n; ++i) out[i] = float_to_half(x[i]);
}

// Blocks of Q8_0. Codes cannot tell what is not finite: the scale does, so that it comes out in the logits.
void to_q8_0(std::byte* out, const float* x, int64_t n) {
  for (int64_t i = 0; i < n; i += 32, out += 34) {
    FloatVec nothing = hn::Zero(df);  // or NaN
    for (int64_t j = 0; j < 32; j += lanes) nothing = hn::MulAdd(load(x + i + j), hn::Zero(df), nothing);
    const float scale = encode_block(x + i, reinterpret_cast<int8_t*>(out) + 2);
    const uint16_t half = float_to_half(scale + sum_of(nothing));
    std::memcpy(out, &half, 2);
  }
}

// The same into a part of an interleaved cache, one for every 32 channels.
template <DType type>
void to_coded_parts(std::byte* part, int64_t p, const float* x, int64_t n) {
  for (int64_t i = 0; i < n; i += coded_channels, part += coded_part) {
    std::byte block[34];
    to_q8_0(block, x + i, coded_channels);
    std::memcpy(part + 2 * p, block, 2);
    for (int64_t c = 0; c < coded_channels; ++c) part[coded_scales + code_place(type, p, c)] = block[2 + c];
  }
}

void to_half_keys(uint16_t* unit, int64_t p, const float* x, int64_t n) {
  constexpr int64_t together = 32;
  uint16_t half[together];
  for (int64_t i = 0; i < n; i += together) {
    const int64_t count = smaller(together, n - i);
    to_half(half, x + i, count);
    for (int64_t c = 0; c < count; ++c) unit[(i + c) * cache_unit + p] = half[c];
  }
}

// Keys or values x of one position of `head`.
void write_cache(const Tensor& cache, int64_t head, int64_t position, const float* x) {
  const int64_t at = head * cache.stride[0] + position * cache.stride[1], d = cache.extent[2], p = position % cache_unit;
  constexpr DTypeInfo coded = dtype_info(DType::q8_0);
  switch (cache.dtype) {
    case DType::f16_keys: return to_half_keys(reinterpret_cast<uint16_t*>(unit_of(cache, head, position)), p, x, d);
    case DType::q8_keys: return to_coded_parts<DType::q8_keys>(unit_of(cache, head, position), p, x, d);
    case DType::q8_values: return to_coded_parts<DType::q8_values>(unit_of(cache, head, position), p, x, d);
    case DType::q8_0: return to_q8_0(cache.data + at / coded.block * coded.bytes, x, d);
    case DType::f16: return to_half(cache.as<uint16_t>() + at, x, d);
    default: std::memcpy(cache.as<float>() + at, x, static_cast<size_t>(d) * sizeof(float));
  }
}

}  // namespace
}  // namespace lava::LAVA_ISA
