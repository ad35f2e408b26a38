#include "kernels/norm/rms_row_cpu.h"

#include "kernels/lane.h"
#include "kernels/norm/norm.h"
#include "kernels/rows.h"

namespace lava::LAVA_ISA {

void rms_norm(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const RmsNormArgs*>(args);
  const Rows out(a.out), x(a.x);
  const auto [begin, end] = lane.share(x.count);
  for (int64_t i = begin; i < end; ++i) rms_row(out.row(i), x.row(i), a.weight.as<float>(), x.width, a.eps);
}

}  // namespace lava::LAVA_ISA
