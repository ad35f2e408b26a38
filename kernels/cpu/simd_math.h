// Vector exp, erfc and the activations; relative error about 1e-7 (the selftest of activate and softmax measures it).
#pragma once
#include "kernels/activation/activate.h"
#include "kernels/cpu/simd.h"

namespace lava::LAVA_ISA {
namespace {

// Adding and taking away 1.5 * 2^23 rounds to the nearest integer, whose bits then stand lowest in the sum.
constexpr float rounder = 12582912.0f;

// p 2^n, where n is the integer in the low bits of `rounded` and p about 1: adds n to the exponent.
HWY_INLINE FloatVec scale_by(FloatVec p, FloatVec rounded) {
  const hn::RebindToSigned<FloatTag> di;
  return hn::BitCast(df, hn::Add(hn::BitCast(di, p), hn::ShiftLeft<23>(hn::BitCast(di, rounded))));
}

// 2^x for x <= 0; below -126 it stays at about 2^-126, which is as good as nothing in a softmax.
HWY_INLINE FloatVec exp2_negative(FloatVec x) {
  const FloatVec clamped = hn::Max(x, splat(-126.0f)), rounded = hn::Add(clamped, splat(rounder));
  const FloatVec r = hn::Sub(clamped, hn::Sub(rounded, splat(rounder)));  // [-0.5, 0.5]
  // 2^r, minimax of degree 6.
  FloatVec p = splat(1.535336188319500e-4f);
  p = hn::MulAdd(p, r, splat(1.339887440266574e-3f));
  p = hn::MulAdd(p, r, splat(9.618437357674640e-3f));
  p = hn::MulAdd(p, r, splat(5.550332471162809e-2f));
  p = hn::MulAdd(p, r, splat(2.402264791363012e-1f));
  p = hn::MulAdd(p, r, splat(6.931472028550421e-1f));
  return scale_by(hn::MulAdd(p, r, splat(1.0f)), rounded);
}

// e^x, 0 below -87, at most e^88. x - n ln 2 is taken in two parts, or large x would lose digits.
HWY_INLINE FloatVec exp(FloatVec x) {
  const FloatVec clamped = hn::Min(hn::Max(x, splat(-87.0f)), splat(88.0f));
  const FloatVec rounded = hn::MulAdd(clamped, splat(1.44269504f), splat(rounder)), n = hn::Sub(rounded, splat(rounder));
  const FloatVec r = hn::NegMulAdd(n, splat(-2.12194440e-4f), hn::NegMulAdd(n, splat(0.693359375f), clamped));
  // Cephes expf: 1 + r + r^2 p(r)
  FloatVec p = splat(1.9875691500e-4f);
  p = hn::MulAdd(p, r, splat(1.3981999507e-3f));
  p = hn::MulAdd(p, r, splat(8.3334519073e-3f));
  p = hn::MulAdd(p, r, splat(4.1665795894e-2f));
  p = hn::MulAdd(p, r, splat(1.6666665459e-1f));
  p = hn::MulAdd(p, r, splat(5.0000001201e-1f));
  p = hn::MulAdd(hn::Mul(r, r), p, hn::Add(r, splat(1.0f)));
  return hn::IfThenZeroElse(hn::Lt(x, splat(-87.0f)), scale_by(p, rounded));
}

// erfc(x) for x >= 0: t exp(-x^2 + P(t)), t = 1 / (1 + x / 2) (Numerical Recipes, Chebyshev fit).
HWY_INLINE FloatVec erfc_positive(FloatVec x) {
  const FloatVec t = hn::Div(splat(1.0f), hn::MulAdd(x, splat(0.5f), splat(1.0f)));
  FloatVec p = splat(0.17087277f);
  p = hn::MulAdd(p, t, splat(-0.82215223f));
  p = hn::MulAdd(p, t, splat(1.48851587f));
  p = hn::MulAdd(p, t, splat(-1.13520398f));
  p = hn::MulAdd(p, t, splat(0.27886807f));
  p = hn::MulAdd(p, t, splat(-0.18628806f));
  p = hn::MulAdd(p, t, splat(0.09678418f));
  p = hn::MulAdd(p, t, splat(0.37409196f));
  p = hn::MulAdd(p, t, splat(1.00002368f));
  p = hn::MulAdd(p, t, splat(-1.26551223f));
  return hn::Mul(t, exp(hn::NegMulAdd(x, x, p)));
}

// x / (1 + e^-(a x))
HWY_INLINE FloatVec scaled_sigmoid(FloatVec x, FloatVec ax) { return hn::Div(x, hn::Add(splat(1.0f), exp(hn::Neg(ax)))); }

HWY_INLINE FloatVec gelu(FloatVec x) {
  const FloatVec half = hn::Mul(x, splat(0.5f)), tail = erfc_positive(hn::Mul(hn::Abs(x), splat(0.70710678118654752f)));
  return hn::Mul(half, hn::IfThenElse(hn::Lt(x, hn::Zero(df)), tail, hn::Sub(splat(2.0f), tail)));
}

// 0.5 (1 + tanh u) = 1 / (1 + e^-2u)
HWY_INLINE FloatVec gelu_tanh(FloatVec x) {
  const FloatVec inner = hn::MulAdd(hn::Mul(x, x), splat(0.044715f), splat(1.0f));
  return scaled_sigmoid(x, hn::Mul(hn::Mul(x, inner), splat(1.5957691216057308f)));
}

template <Activation kind>
HWY_INLINE FloatVec act(FloatVec x) {
  if constexpr (kind == Activation::gelu) return gelu(x);
  if constexpr (kind == Activation::gelu_tanh) return gelu_tanh(x);
  if constexpr (kind == Activation::gelu_quick) return scaled_sigmoid(x, hn::Mul(x, splat(1.702f)));
  if constexpr (kind == Activation::silu) return scaled_sigmoid(x, x);
  if constexpr (kind == Activation::relu) return hn::Max(x, hn::Zero(df));
  if constexpr (kind == Activation::relu6) return hn::Min(hn::Max(x, hn::Zero(df)), splat(6.0f));
  return x;
}

// For epilogues: the branch is the same for every vector.
HWY_INLINE FloatVec act(Activation kind, FloatVec x) {
  switch (kind) {
    case Activation::gelu: return act<Activation::gelu>(x);
    case Activation::gelu_tanh: return act<Activation::gelu_tanh>(x);
    case Activation::gelu_quick: return act<Activation::gelu_quick>(x);
    case Activation::silu: return act<Activation::silu>(x);
    case Activation::relu: return act<Activation::relu>(x);
    case Activation::relu6: return act<Activation::relu6>(x);
    case Activation::none: break;
  }
  return x;
}

// Calls f.template operator()<kind>() with the kind as a constant.
template <class F>
HWY_INLINE void with_activation(Activation kind, const F& f) {
  switch (kind) {
    case Activation::gelu: return f.template operator()<Activation::gelu>();
    case Activation::gelu_tanh: return f.template operator()<Activation::gelu_tanh>();
    case Activation::gelu_quick: return f.template operator()<Activation::gelu_quick>();
    case Activation::silu: return f.template operator()<Activation::silu>();
    case Activation::relu: return f.template operator()<Activation::relu>();
    case Activation::relu6: return f.template operator()<Activation::relu6>();
    case Activation::none: return f.template operator()<Activation::none>();
  }
}

}  // namespace
}  // namespace lava::LAVA_ISA
