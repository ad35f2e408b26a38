#include "kernels/activation/scalar.h"
#include "kernels/lane.h"
#include "kernels/rows.h"

namespace lava::reference {

void activate(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const ActivateArgs*>(args);
  const Rows out(a.out), x(a.x);
  const auto [begin, end] = lane.share(x.count);
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t j = 0; j < x.width; ++j) out.row(i)[j] = static_cast<float>(apply(a.kind, x.row(i)[j]));
  }
}

}  // namespace lava::reference
