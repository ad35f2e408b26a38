// The definition of linear: widen a weight row, multiply in double, add the bias, activate, store or accumulate.
#include <vector>

#include "kernels/activation/scalar.h"
#include "kernels/lane.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/pack.h"

namespace lava::reference {
namespace {

void multiply(const LinearTarget& target, const Tensor& x, Span outputs) {
  std::vector<float> weight(static_cast<size_t>(target.weight.in));
  for (int64_t o = outputs.begin; o < outputs.end; ++o) {
    widen_row(target.weight, o, weight.data());
    for (int64_t i = 0; i < x.rows(); ++i) {
      const float* row = x.row(i);
      double sum = target.bias.empty() ? 0.0 : target.bias.f32()[o];
      for (size_t k = 0; k < weight.size(); ++k) sum += static_cast<double>(row[k]) * weight[k];
      float& out = target.out.row(i)[o];
      const float value = static_cast<float>(apply(target.activation, sum));
      out = target.accumulate ? out + value : value;
    }
  }
}

}  // namespace

void linear(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  for (int t = 0; t < a.targets; ++t) multiply(a.target[t], a.x, lane.share(a.target[t].weight.out));
  if (!a.gated) return;
  const Span own = lane.share(a.target[0].weight.out);
  for (int64_t i = 0; i < a.x.rows(); ++i)
    for (int64_t o = own.begin; o < own.end; ++o) a.target[0].out.row(i)[o] *= a.target[1].out.row(i)[o];
}

}  // namespace lava::reference
