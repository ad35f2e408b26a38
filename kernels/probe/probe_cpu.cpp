// Reading and multiplying as fast as this instruction set can: accumulators that do not wait for one another, nothing else.
#include "kernels/cpu/simd.h"
#include "kernels/probe/probe_kernels.h"

namespace lava::LAVA_ISA {

extern const ProbeKernels probe_kernels;

namespace {

// Accumulators by name, not in an array: that would live in memory.
#if HWY_TARGET <= HWY_AVX3 || !HWY_ARCH_X86
constexpr int accumulators = 16;
#define LAVA_ACCUMULATORS(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15)
#else  // 16 registers
constexpr int accumulators = 10;
#define LAVA_ACCUMULATORS(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9)
#endif

// The compiler must neither see what a register holds nor drop it.
template <class T>
HWY_INLINE void hold(T& value) {
#if defined(__AVX512F__)
  asm volatile("" : "+v"(value));  // any of 32 registers
#elif HWY_ARCH_X86
  asm volatile("" : "+x"(value));
#elif HWY_ARCH_ARM
  asm volatile("" : "+w"(value));
#else
  asm volatile("" : "+m"(value));
#endif
}
#if HWY_ARCH_X86 || HWY_ARCH_ARM
HWY_INLINE void hold(FloatVec& value) { hold(value.raw); }
#endif

// `rounds` times sum = step(sum) for every accumulator, none of which waits for another; then they are joined.
template <class V, class Step, class Join>
HWY_INLINE V repeat(int64_t rounds, V start, const Step& step, const Join& join) {
#define LAVA_DECLARE(i) V sum##i = start;
#define LAVA_STEP(i) sum##i = step(sum##i), hold(sum##i);
#define LAVA_JOIN(i) all = join(all, sum##i);
  LAVA_ACCUMULATORS(LAVA_DECLARE)
  for (int64_t r = 0; r < rounds; ++r) {
    LAVA_ACCUMULATORS(LAVA_STEP)
  }
  V all = start;
  LAVA_ACCUMULATORS(LAVA_JOIN)
  return all;
#undef LAVA_DECLARE
#undef LAVA_STEP
#undef LAVA_JOIN
}

float read(const std::byte* data, size_t bytes) {
  FloatVec s0 = hn::Zero(df), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  constexpr size_t each = HWY_MAX_BYTES;
  for (const std::byte* const end = data + bytes; data < end; data += 8 * each) {
    const auto next = [&](size_t i) HWY_ATTR { return hn::Load(df, reinterpret_cast<const float*>(data + i * each)); };
    s0 = hn::Add(s0, next(0)), s1 = hn::Add(s1, next(1)), s2 = hn::Add(s2, next(2)), s3 = hn::Add(s3, next(3));
    s4 = hn::Add(s4, next(4)), s5 = hn::Add(s5, next(5)), s6 = hn::Add(s6, next(6)), s7 = hn::Add(s7, next(7));
  }
  return sum_of(hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7))));
}

// s = s * 0.5 + 0.5 stays at 1.
float multiply_f32(int64_t rounds) {
  FloatVec factor = splat(0.5f);
  hold(factor);
  return sum_of(repeat(rounds, splat(1.0f), [&](FloatVec s) HWY_ATTR { return hn::MulAdd(s, factor, factor); }, [](FloatVec a, FloatVec b) HWY_ATTR { return hn::Add(a, b); }));
}
constexpr PeakLoop f32_loop = {multiply_f32, 2.0 * accumulators * lanes, HWY_ARCH_X86 && HWY_TARGET == HWY_SSSE3 ? "MULPS and ADDPS" : "FMA of float32"};

#if defined(__AVX512BF16__)
float multiply_bf16(int64_t rounds) {
  __m512i bits = _mm512_setzero_si512();
  hold(bits);
  const auto step = [&](__m512 s) HWY_ATTR { return _mm512_dpbf16_ps(s, (__m512bh)bits, (__m512bh)bits); };
  return _mm512_cvtss_f32(repeat(rounds, _mm512_setzero_ps(), step, [](__m512 a, __m512 b) HWY_ATTR { return _mm512_add_ps(a, b); }));
}
constexpr PeakLoop bf16_loop = {multiply_bf16, 64.0 * accumulators, "VDPBF16PS, 512 bits"};
#else
constexpr PeakLoop bf16_loop = {nullptr, 0, ""};
#endif

#if defined(__AVX512VNNI__)
float multiply_int8(int64_t rounds) {
  __m512i bytes = _mm512_set1_epi8(1);
  hold(bytes);
  const auto step = [&](__m512i s) HWY_ATTR { return _mm512_dpbusd_epi32(s, bytes, bytes); };
  const __m512i all = repeat(rounds, _mm512_setzero_si512(), step, [](__m512i a, __m512i b) HWY_ATTR { return _mm512_add_epi32(a, b); });
  return static_cast<float>(_mm_cvtsi128_si32(_mm512_castsi512_si128(all)));
}
constexpr PeakLoop int8_loop = {multiply_int8, 128.0 * accumulators, "VPDPBUSD, 512 bits"};
#elif defined(__AVX2__)
// As the kernels add products: four of VPMADDUBSW in 16 bits, then VPMADDWD to 32.
float multiply_int8(int64_t rounds) {
  __m256i bytes = _mm256_set1_epi8(1);
  const __m256i words = _mm256_set1_epi16(1);
  const auto pairs = [&]() HWY_ATTR {
    hold(bytes);  // or the product would be made once
    return _mm256_maddubs_epi16(bytes, bytes);
  };
  const auto step = [&](__m256i s) HWY_ATTR {
    const __m256i two = _mm256_add_epi16(pairs(), pairs()), four = _mm256_add_epi16(two, _mm256_add_epi16(pairs(), pairs()));
    return _mm256_add_epi32(s, _mm256_madd_epi16(four, words));
  };
  const __m256i all = repeat(rounds, _mm256_setzero_si256(), step, [](__m256i a, __m256i b) HWY_ATTR { return _mm256_add_epi32(a, b); });
  return static_cast<float>(_mm_cvtsi128_si32(_mm256_castsi256_si128(all)));
}
constexpr PeakLoop int8_loop = {multiply_int8, 4 * 64.0 * accumulators, "VPMADDUBSW, 256 bits"};
#else
constexpr PeakLoop int8_loop = {nullptr, 0, ""};
#endif

}  // namespace

const ProbeKernels probe_kernels = {read, f32_loop, bf16_loop, int8_loop};

}  // namespace lava::LAVA_ISA
