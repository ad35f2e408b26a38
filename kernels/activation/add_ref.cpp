#include "kernels/activation/activate.h"
#include "kernels/lane.h"
#include "kernels/rows.h"

namespace lava::reference {

void add(const void* args, const Lane& lane) {
  const auto& p = *static_cast<const AddArgs*>(args);
  const Rows out(p.out), a(p.a), b(p.b);
  const auto [begin, end] = lane.share(a.count);
  for (int64_t i = begin; i < end; ++i) {
    const float* addend = b.count == a.count ? b.row(i) : b.data;
    for (int64_t j = 0; j < a.width; ++j) out.row(i)[j] = a.row(i)[j] + addend[j];
  }
}

}  // namespace lava::reference
