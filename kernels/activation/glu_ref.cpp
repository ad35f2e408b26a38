#include "kernels/activation/scalar.h"
#include "kernels/lane.h"
#include "kernels/rows.h"

namespace lava::reference {

void glu(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const GluArgs*>(args);
  const Rows out(a.out), gate(a.gate), up(a.up);
  const auto [begin, end] = lane.share(gate.count);
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t j = 0; j < gate.width; ++j) out.row(i)[j] = static_cast<float>(apply(a.kind, gate.row(i)[j]) * up.row(i)[j]);
  }
}

}  // namespace lava::reference
