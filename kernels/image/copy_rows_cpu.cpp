#include "kernels/cpu/simd.h"
#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::LAVA_ISA {
namespace {

void copy_row(float* out, int64_t out_step, const float* x, int64_t step, int64_t n) {
  if (out_step == 1 && step == 1) {
    std::memcpy(out, x, static_cast<size_t>(n) * sizeof(float));
    return;
  }
  for (int64_t i = 0; i < n; ++i) out[i * out_step] = x[i * step];
}

}  // namespace

void copy_rows(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const CopyRowsArgs*>(args);
  const int last = a.x.rank - 1;
  const int64_t width = a.x.extent[last], count = a.x.elements() / (width ? width : 1);
  const bool one = count == 1;
  const Span rows = one ? Span{0, 1} : lane.share(count), columns = one ? lane.share(width, 64) : Span{0, width};
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    int64_t rest = i, from = columns.begin * a.x.stride[last], to = columns.begin * a.out.stride[last];
    for (int axis = last - 1; axis >= 0; --axis) {
      const int64_t index = rest % a.x.extent[axis];
      rest /= a.x.extent[axis];
      from += index * a.x.stride[axis], to += index * a.out.stride[axis];
    }
    copy_row(a.out.as<float>() + to, a.out.stride[last], a.x.as<float>() + from, a.x.stride[last], columns.end - columns.begin);
  }
}

}  // namespace lava::LAVA_ISA
