// Before and after the product: activations to 8 bits, and bias with activation on the results.
#include "kernels/cpu/simd_math.h"
#include "kernels/linear/linear_cpu.h"
#include "kernels/linear/prepared.h"
#include "kernels/linear/unit_cpu.h"

namespace lava::LAVA_ISA {
namespace {

constexpr int parts = 32 / lanes;  // vectors of a block

// One block of 32: codes to `code`; returns the scale, and the sums of the two halves.
HWY_INLINE float encode_block(const float* x, int8_t* code, int32_t (&half_sum)[2]) {
  const hn::Rebind<int8_t, FloatTag> d8;
  VF value[parts];
  VF largest = zero();
  for (int i = 0; i < parts; ++i) {
    value[i] = load(x + i * lanes);
    largest = hn::Max(largest, hn::Abs(value[i]));
  }
  const float top = hn::GetLane(hn::MaxOfLanes(df, largest));
  const VF inverse = splat(top > 0.0f ? 127.0f / top : 0.0f);
  VI sum[2] = {hn::Zero(di), hn::Zero(di)};
  for (int i = 0; i < parts; ++i) {
    const VI q = hn::NearestInt(hn::Mul(value[i], inverse));
    VI& half = sum[i / (parts / 2)];
    half = hn::Add(half, q);
    hn::StoreU(hn::DemoteTo(d8, q), d8, code + i * lanes);
  }
  half_sum[0] = hn::GetLane(hn::SumOfLanes(di, sum[0]));
  half_sum[1] = hn::GetLane(hn::SumOfLanes(di, sum[1]));
  return top / 127.0f;
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
    for (int64_t b = 0; b < in / 32; ++b) {
      int32_t half[2];
      scale[b] = encode_block(x + i * x_stride + 32 * b, code + 32 * b, half);
      sum[b] = scale[b] * static_cast<float>(half[0] + half[1]);
      minus_sum[b] = -(half[0] + half[1]);
      minus_half[2 * b] = -half[0];
      minus_half[2 * b + 1] = -half[1];
    }
  }
}

void linear_finish(float* out, const float* bias, int64_t count, Activation activation) {
  with_activation(activation, [&]<Activation kind>() { finish<kind>(out, bias, count); });
}

}  // namespace lava::LAVA_ISA
