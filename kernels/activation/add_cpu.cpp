#include "kernels/activation/activate.h"
#include "kernels/cpu/simd.h"
#include "kernels/lane.h"
#include "kernels/rows.h"

namespace lava::LAVA_ISA {

void add(const void* args, const Lane& lane) {
  const auto& p = *static_cast<const AddArgs*>(args);
  const Rows out(p.out), a(p.a), b(p.b);
  const auto f = [](FloatVec x, FloatVec y) HWY_ATTR { return hn::Add(x, y); };
  const bool one_for_all = b.count != a.count;
  if (!one_for_all && (a.count == 1 || (out.packed() && a.packed() && b.packed()))) {
    const auto [begin, end] = lane.share(a.count * a.width, 64);
    map(end - begin, out.data + begin, f, a.data + begin, b.data + begin);
    return;
  }
  const auto [begin, end] = lane.share(a.count);
  for (int64_t i = begin; i < end; ++i) map(a.width, out.row(i), f, a.row(i), one_for_all ? b.data : b.row(i));
}

}  // namespace lava::LAVA_ISA
