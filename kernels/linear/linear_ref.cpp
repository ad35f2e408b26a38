// The definition of linear: norm x where asked to, widen a weight row, multiply in double, add the bias, activate, store or accumulate.
#include <cmath>
#include <vector>

#include "kernels/activation/scalar.h"
#include "kernels/lane.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/pack.h"

namespace lava::reference {
namespace {

std::vector<float> row_of(const LinearArgs& a, int64_t i) {
  std::vector<float> row(a.x.row(i), a.x.row(i) + a.x.width());
  if (a.norm.gain.empty()) return row;
  double sum = 0;
  for (const float value : row) sum += static_cast<double>(value) * value;
  const double factor = 1 / std::sqrt(sum / static_cast<double>(row.size()) + a.norm.eps);
  for (size_t k = 0; k < row.size(); ++k) row[k] = static_cast<float>(row[k] * factor * a.norm.gain.f32()[k]);
  return row;
}

void multiply(const LinearTarget& target, const std::vector<std::vector<float>>& x, Span outputs) {
  std::vector<float> weight(static_cast<size_t>(target.weight.in));
  for (int64_t o = outputs.begin; o < outputs.end; ++o) {
    widen_row(target.weight, o, weight.data());
    for (size_t i = 0; i < x.size(); ++i) {
      double sum = target.bias.empty() ? 0.0 : target.bias.f32()[o];
      for (size_t k = 0; k < weight.size(); ++k) sum += static_cast<double>(x[i][k]) * weight[k];
      float& out = target.out.row(static_cast<int64_t>(i))[o];
      const float value = static_cast<float>(apply(target.activation, sum));
      out = target.accumulate ? out + value : value;
    }
  }
}

}  // namespace

void linear(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  std::vector<std::vector<float>> x;
  for (int64_t i = 0; i < a.x.rows(); ++i) x.push_back(row_of(a, i));
  for (int t = 0; t < a.targets; ++t) multiply(a.target[t], x, lane.share(a.target[t].weight.out));
  if (!a.gated) return;
  const Span own = lane.share(a.target[0].weight.out);
  for (int64_t i = 0; i < a.x.rows(); ++i)
    for (int64_t o = own.begin; o < own.end; ++o) a.target[0].out.row(i)[o] *= a.target[1].out.row(i)[o];
}

}  // namespace lava::reference
