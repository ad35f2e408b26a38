// The activations of one value, as the references compute them.
#pragma once
#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/activation/activate.h"

namespace lava::reference {

inline double apply(Activation kind, double x) {
  constexpr double pi = std::numbers::pi, sqrt2 = std::numbers::sqrt2;
  switch (kind) {
    case Activation::none: return x;
    case Activation::gelu: return 0.5 * x * (1 + std::erf(x / sqrt2));
    case Activation::gelu_tanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715 * x * x * x)));
    case Activation::gelu_quick: return x / (1 + std::exp(-1.702 * x));
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::relu: return std::max(x, 0.0);
    case Activation::relu6: return std::clamp(x, 0.0, 6.0);
  }
  return x;
}

}  // namespace lava::reference
