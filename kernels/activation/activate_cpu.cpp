#include "kernels/cpu/simd_math.h"
#include "kernels/lane.h"
#include "kernels/rows.h"

namespace lava::LAVA_ISA {

void activate(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const ActivateArgs*>(args);
  const Rows out(a.out), x(a.x);
  with_activation(a.kind, [&]<Activation kind>() {
    const auto f = [](FloatVec v) HWY_ATTR { return act<kind>(v); };
    if (x.count == 1 || (x.packed() && out.packed())) {
      const auto [begin, end] = lane.share(x.count * x.width, 64);
      map(end - begin, out.data + begin, f, x.data + begin);
      return;
    }
    const auto [begin, end] = lane.share(x.count);
    for (int64_t i = begin; i < end; ++i) map(x.width, out.row(i), f, x.row(i));
  });
}

}  // namespace lava::LAVA_ISA
