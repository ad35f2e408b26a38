// Reading and multiplying as fast as this instruction set can: accumulators that do not wait for one another, nothing else.
#include "kernels/cpu/simd.h"
#include "kernels/probe/probe_kernels.h"

namespace lava::LAVA_ISA {

extern const ProbeKernels probe_kernels;

namespace {

constexpr int accumulators = vector_registers == 32 ? 16 : 10;

// The compiler must neither see what a register holds nor drop it.
template <class T>
HWY_INLINE void opaque(T& value) {
#if HWY_ARCH_X86
  asm volatile("" : "+x"(value));
#else
  asm volatile("" : "+w"(value));
#endif
}

float read(const std::byte* data, size_t bytes) {
  FloatVec sum[8];
  for (FloatVec& s : sum) s = hn::Zero(df);
  constexpr size_t step = 8 * HWY_MAX_BYTES;
  for (size_t at = 0; at + step <= bytes; at += step) {
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; ++i) {
      const FloatVec value = hn::Load(df, reinterpret_cast<const float*>(data + at + i * HWY_MAX_BYTES));
      sum[i] = hn::Add(sum[i], value);
    }
  }
  for (int i = 1; i < 8; ++i) sum[0] = hn::Add(sum[0], sum[i]);
  return sum_of(sum[0]);
}

// a = a * 0.5 + 0.5 stays at 1.
float multiply_f32(int64_t rounds) {
  FloatVec sum[accumulators], factor = splat(0.5f);
  opaque(factor.raw);
  for (FloatVec& s : sum) s = splat(1.0f);
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
    for (FloatVec& s : sum) {
      s = hn::MulAdd(s, factor, factor);
      opaque(s.raw);
    }
  }
  for (int i = 1; i < accumulators; ++i) sum[0] = hn::Add(sum[0], sum[i]);
  return sum_of(sum[0]);
}
constexpr PeakLoop f32_loop = {multiply_f32, 2.0 * accumulators * lanes, HWY_ARCH_X86 && HWY_TARGET == HWY_SSSE3 ? "MULPS and ADDPS" : "FMA of float32"};

#if defined(__AVX512BF16__)
float multiply_bf16(int64_t rounds) {
  __m512 sum[accumulators];
  __m512i ones = _mm512_setzero_si512();
  opaque(ones);
  for (__m512& s : sum) s = _mm512_setzero_ps();
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
    for (__m512& s : sum) {
      s = _mm512_dpbf16_ps(s, (__m512bh)ones, (__m512bh)ones);
      opaque(s);
    }
  }
  for (int i = 1; i < accumulators; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  return _mm512_cvtss_f32(sum[0]);
}
constexpr PeakLoop bf16_loop = {multiply_bf16, 64.0 * accumulators, "VDPBF16PS, 512 bits"};
#else
constexpr PeakLoop bf16_loop = {nullptr, 0, ""};
#endif

#if defined(__AVX512VNNI__)
float multiply_int8(int64_t rounds) {
  __m512i sum[accumulators], ones = _mm512_set1_epi8(1);
  opaque(ones);
  for (__m512i& s : sum) s = _mm512_setzero_si512();
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
    for (__m512i& s : sum) {
      s = _mm512_dpbusd_epi32(s, ones, ones);
      opaque(s);
    }
  }
  for (int i = 1; i < accumulators; ++i) sum[0] = _mm512_add_epi32(sum[0], sum[i]);
  return static_cast<float>(_mm_cvtsi128_si32(_mm512_castsi512_si128(sum[0])));
}
constexpr PeakLoop int8_loop = {multiply_int8, 128.0 * accumulators, "VPDPBUSD, 512 bits"};
#elif defined(__AVX2__)
// As the kernels add products: four of VPMADDUBSW in 16 bits, then VPMADDWD to 32.
float multiply_int8(int64_t rounds) {
  constexpr int sums = 5;
  __m256i sum[sums], bytes = _mm256_set1_epi8(1);
  const __m256i words = _mm256_set1_epi16(1);
  opaque(bytes);
  for (__m256i& s : sum) s = _mm256_setzero_si256();
  for (int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 5
    for (__m256i& s : sum) {
      __m256i pairs = _mm256_maddubs_epi16(bytes, bytes);
#pragma GCC unroll 3
      for (int i = 0; i < 3; ++i) {
        opaque(bytes);
        pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(bytes, bytes));
      }
      s = _mm256_add_epi32(s, _mm256_madd_epi16(pairs, words));
    }
  }
  for (int i = 1; i < sums; ++i) sum[0] = _mm256_add_epi32(sum[0], sum[i]);
  return static_cast<float>(_mm_cvtsi128_si32(_mm256_castsi256_si128(sum[0])));
}
constexpr PeakLoop int8_loop = {multiply_int8, 5 * 4 * 64.0, "VPMADDUBSW, 256 bits"};
#else
constexpr PeakLoop int8_loop = {nullptr, 0, ""};
#endif

}  // namespace

const ProbeKernels probe_kernels = {read, f32_loop, bf16_loop, int8_loop};

}  // namespace lava::LAVA_ISA
