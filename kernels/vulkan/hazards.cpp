#include "kernels/vulkan/hazards.h"

#include <algorithm>

namespace lava::vulkan {

Access access_of(const Tensor& t, bool written) {
  if (t.empty() || t.elements() == 0) return {t.data, t.data, written};
  if (is_quantized(t.dtype)) return {t.data, t.data + t.bytes(), written};
  int64_t first = 0, last = 0;
  for (int axis = 0; axis < t.rank; ++axis) {
    const int64_t reach = (t.extent[axis] - 1) * t.stride[axis];
    (reach < 0 ? first : last) += reach;
  }
  const int64_t size = dtype_info(t.dtype).bytes;
  return {t.data + first * size, t.data + (last + 1) * size, written};
}

bool Hazards::add(std::span<const Access> work) {
  const auto meets = [&](const Access& before) {
    return std::any_of(work.begin(), work.end(), [&](const Access& now) {
      return (before.written || now.written) && before.begin < now.end && now.begin < before.end;
    });
  };
  const bool needed = unknown_ || since_.size() + work.size() > most || std::any_of(since_.begin(), since_.end(), meets);
  if (needed) barrier();
  since_.insert(since_.end(), work.begin(), work.end());
  return needed;
}

}  // namespace lava::vulkan
