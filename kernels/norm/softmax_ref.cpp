#include <algorithm>
#include <cmath>

#include "kernels/lane.h"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

namespace lava::reference {

void softmax(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const SoftmaxArgs*>(args);
  const Rows out(a.out), x(a.x);
  const auto [begin, end] = lane.share(x.count);
  for (int64_t i = begin; i < end; ++i) {
    const double highest = *std::max_element(x.row(i), x.row(i) + x.width);
    double sum = 0;
    for (int64_t j = 0; j < x.width; ++j) sum += std::exp(x.row(i)[j] - highest);
    for (int64_t j = 0; j < x.width; ++j) out.row(i)[j] = static_cast<float>(std::exp(x.row(i)[j] - highest) / sum);
  }
}

}  // namespace lava::reference
