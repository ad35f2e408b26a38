// exp and the activations to about 1e-7: what Vulkan promises of exp() and erf-like functions is not enough for the op test.
// The same polynomials as kernels/cpu/simd_math.h.

// e^x, 0 below -87, at most e^88.
float exp_exact(float x) {
  const float clamped = clamp(x, -87.0, 88.0), n = roundEven(clamped * 1.44269504);
  const float r = fma(n, 2.12194440e-4, fma(n, -0.693359375, clamped));
  float p = 1.9875691500e-4;
  p = fma(p, r, 1.3981999507e-3);
  p = fma(p, r, 8.3334519073e-3);
  p = fma(p, r, 4.1665795894e-2);
  p = fma(p, r, 1.6666665459e-1);
  p = fma(p, r, 5.0000001201e-1);
  p = fma(r * r, p, r + 1.0);
  return x < -87.0 ? 0.0 : intBitsToFloat(floatBitsToInt(p) + (int(n) << 23));
}

// erfc(x) for x >= 0 (Numerical Recipes, Chebyshev fit).
float erfc_positive(float x) {
  const float t = 1.0 / fma(x, 0.5, 1.0);
  float p = 0.17087277;
  p = fma(p, t, -0.82215223);
  p = fma(p, t, 1.48851587);
  p = fma(p, t, -1.13520398);
  p = fma(p, t, 0.27886807);
  p = fma(p, t, -0.18628806);
  p = fma(p, t, 0.09678418);
  p = fma(p, t, 0.37409196);
  p = fma(p, t, 1.00002368);
  p = fma(p, t, -1.26551223);
  return t * exp_exact(fma(-x, x, p));
}

float scaled_sigmoid(float x, float ax) { return x / (1.0 + exp_exact(-ax)); }

// Activation of kernels/activation/activate.h, by its number.
float activate(uint kind, float x) {
  switch (kind) {
    case 1u: {
      const float tail = erfc_positive(abs(x) * 0.70710678118654752);
      return 0.5 * x * (x < 0.0 ? tail : 2.0 - tail);
    }
    case 2u: return scaled_sigmoid(x, x * fma(x * x, 0.044715, 1.0) * 1.5957691216057308);
    case 3u: return scaled_sigmoid(x, 1.702 * x);
    case 4u: return scaled_sigmoid(x, x);
    case 5u: return max(x, 0.0);
    case 6u: return clamp(x, 0.0, 6.0);
  }
  return x;
}
