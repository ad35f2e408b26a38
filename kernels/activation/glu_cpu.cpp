#include "kernels/cpu/simd_math.h"
#include "kernels/lane.h"
#include "kernels/rows.h"

namespace lava::LAVA_ISA {

void glu(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const GluArgs*>(args);
  const Rows out(a.out), gate(a.gate), up(a.up);
  with_activation(a.kind, [&]<Activation kind>() {
    const auto f = [](FloatVec g, FloatVec u) HWY_ATTR { return hn::Mul(act<kind>(g), u); };
    if (gate.count == 1 || (out.packed() && gate.packed() && up.packed())) {
      const auto [begin, end] = lane.share(gate.count * gate.width, 64);
      map(end - begin, out.data + begin, f, gate.data + begin, up.data + begin);
      return;
    }
    const auto [begin, end] = lane.share(gate.count);
    for (int64_t i = begin; i < end; ++i) map(gate.width, out.row(i), f, gate.row(i), up.row(i));
  });
}

}  // namespace lava::LAVA_ISA
