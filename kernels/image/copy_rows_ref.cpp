#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::reference {

void copy_rows(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const CopyRowsArgs*>(args);
  const auto& extent = a.x.extent;
  const auto [begin, end] = lane.share(a.x.elements());
  for (int64_t i = begin; i < end; ++i) {
    int64_t rest = i, from = 0, to = 0;
    for (int axis = a.x.rank - 1; axis >= 0; --axis) {
      const int64_t index = rest % extent[axis];
      rest /= extent[axis];
      from += index * a.x.stride[axis], to += index * a.out.stride[axis];
    }
    a.out.as<float>()[to] = a.x.as<float>()[from];
  }
}

}  // namespace lava::reference
