// Before and after the product: norm, activations to 8 bits, and bias with activation on the results.
#include "kernels/cpu/encode_block.h"
#include "kernels/cpu/simd_math.h"
#include "kernels/linear/linear_cpu.h"
#include "kernels/linear/prepared.h"
#include "kernels/linear/unit_cpu.h"
#include "kernels/norm/rms_row_cpu.h"

namespace lava::LAVA_ISA {
namespace {

// Negated sums of 16 codes each: bytes are made unsigned, summed by eight, and the 16 * 128 taken off.
void sum_codes(const int8_t* code, int64_t halves, int32_t* minus_half) {
  const hn::ScalableTag<uint8_t> d8;
  const hn::ScalableTag<uint64_t> d64;
  constexpr int64_t step = lanes / 4;
  HWY_ALIGN uint64_t eight[2 * step];
  int64_t h = 0;
  for (; h + step <= halves; h += step) {
    const auto bytes = hn::Xor(hn::LoadU(d8, reinterpret_cast<const uint8_t*>(code) + 16 * h), hn::Set(d8, uint8_t{0x80}));
    hn::Store(hn::SumsOf8(bytes), d64, eight);
    for (int64_t i = 0; i < step; ++i) minus_half[h + i] = 2048 - static_cast<int32_t>(eight[2 * i] + eight[2 * i + 1]);
  }
  for (; h < halves; ++h) {
    minus_half[h] = 0;
    for (int i = 0; i < 16; ++i) minus_half[h] -= code[16 * h + i];
  }
}

template <Activation kind>
void finish(float* out, const float* bias, int64_t count) {
  if (bias) {
    map(
        count, out, [](VF y, VF b) HWY_ATTR { return act<kind>(hn::Add(y, b)); }, out, bias);
  } else {
    map(
        count, out, [](VF y) HWY_ATTR { return act<kind>(y); }, out);
  }
}

}  // namespace

void prepare_rows(const float* x, int64_t x_stride, int64_t in, int64_t begin, int64_t end, std::byte* prepared) {
  const PreparedRow at(in);
  for (int64_t i = begin; i < end; ++i) {
    std::byte* row = prepared + i * at.bytes;
    auto* code = reinterpret_cast<int8_t*>(row);
    auto* scale = reinterpret_cast<float*>(row + at.scale_at);
    auto* sum = reinterpret_cast<float*>(row + at.sum_at);
    auto* minus_sum = reinterpret_cast<int32_t*>(row + at.minus_sum_at);
    auto* minus_half = reinterpret_cast<int32_t*>(row + at.minus_half_at);
    for (int64_t b = 0; b < in / 32; ++b) scale[b] = encode_block(x + i * x_stride + 32 * b, code + 32 * b);
    sum_codes(code, in / 16, minus_half);
    for (int64_t b = 0; b < in / 32; ++b) {
      minus_sum[b] = minus_half[2 * b] + minus_half[2 * b + 1];
      sum[b] = -scale[b] * static_cast<float>(minus_sum[b]);
    }
  }
}

void norm_row(const LinearArgs& a, int64_t row, float* out) {
  rms_row(out, a.x.as<float>() + row * a.x.stride[0], a.norm.gain.as<float>(), a.x.extent[1], a.norm.eps);
}

void linear_finish(float* out, const float* bias, int64_t count, Activation activation) {
  with_activation(activation, [&]<Activation kind>() { finish<kind>(out, bias, count); });
}

void linear_gate(float* out, const float* factor, int64_t count) {
  map(
      count, out, [](VF y, VF f) HWY_ATTR { return hn::Mul(y, f); }, out, factor);
}

}  // namespace lava::LAVA_ISA
