#include <cmath>

#include "kernels/lane.h"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

namespace lava::reference {

void rms_norm(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const RmsNormArgs*>(args);
  const Rows out(a.out), x(a.x);
  const float* weight = a.weight.as<float>();
  const auto [begin, end] = lane.share(x.count);
  for (int64_t i = begin; i < end; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < x.width; ++j) sum += static_cast<double>(x.row(i)[j]) * x.row(i)[j];
    const double factor = 1 / std::sqrt(sum / static_cast<double>(x.width) + a.eps);
    for (int64_t j = 0; j < x.width; ++j) out.row(i)[j] = static_cast<float>(x.row(i)[j] * factor * weight[j]);
  }
}

}  // namespace lava::reference
