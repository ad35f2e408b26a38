#include <cmath>

#include "kernels/lane.h"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

namespace lava::reference {

void layer_norm(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const LayerNormArgs*>(args);
  const Rows out(a.out), x(a.x);
  const float *weight = a.weight.as<float>(), *bias = a.bias.as<float>();
  const auto width = static_cast<double>(x.width);
  const auto [begin, end] = lane.share(x.count);
  for (int64_t i = begin; i < end; ++i) {
    double mean = 0, variance = 0;
    for (int64_t j = 0; j < x.width; ++j) mean += x.row(i)[j] / width;
    for (int64_t j = 0; j < x.width; ++j) variance += (x.row(i)[j] - mean) * (x.row(i)[j] - mean) / width;
    const double factor = 1 / std::sqrt(variance + a.eps);
    for (int64_t j = 0; j < x.width; ++j) out.row(i)[j] = static_cast<float>((x.row(i)[j] - mean) * factor * weight[j] + bias[j]);
  }
}

}  // namespace lava::reference
