#include "kernels/ops.h"

namespace lava::ops {

void conv2d(Run& run, const Conv2dArgs& args) {
  const Tensor &x = args.x, &out = args.out, &weight = args.weight;
  LAVA_CHECK(x.dtype == DType::f32 && out.dtype == DType::f32 && weight.dtype == DType::f32 && x.rank == 3 && out.rank == 3);
  LAVA_CHECK(x.contiguous() && out.contiguous() && weight.contiguous() && args.stride >= 1 && args.pad_top >= 0 && args.pad_left >= 0);
  if (args.depthwise) {
    LAVA_CHECK(weight.rank == 3 && weight.extent[2] == x.extent[2] && out.extent[2] == x.extent[2]);
  } else {
    LAVA_CHECK(weight.rank == 4 && weight.extent[2] == x.extent[2] && weight.extent[3] == out.extent[2]);
  }
  LAVA_CHECK(args.bias.empty() || (args.bias.dtype == DType::f32 && args.bias.contiguous() && args.bias.elements() == out.extent[2]));
  run.execute(args);
}

}  // namespace lava::ops
