#include "kernels/ops.h"

namespace lava::ops {
namespace {

bool is_image(const Tensor& t) { return t.dtype == DType::f32 && t.rank == 3 && t.contiguous() && t.elements() > 0; }

}  // namespace

void patchify(Run& run, const Tensor& out, const Tensor& x, int patch) {
  LAVA_CHECK(is_image(x) && patch >= 1 && out.dtype == DType::f32 && out.rank == 2 && out.contiguous());
  LAVA_CHECK(out.extent[0] == (x.extent[1] / patch) * (x.extent[2] / patch) && out.extent[1] == x.extent[0] * patch * patch);
  PatchifyArgs args;
  args.out = out, args.x = x, args.patch = patch;
  run.execute(args);
}

void resize_bilinear(Run& run, const Tensor& out, const Tensor& x) {
  LAVA_CHECK(is_image(out) && is_image(x) && out.extent[2] == x.extent[2]);
  ResizeBilinearArgs args;
  args.out = out, args.x = x;
  run.execute(args);
}

void pool_mean(Run& run, const Tensor& out, const Tensor& x, int size) {
  LAVA_CHECK(is_image(out) && is_image(x) && size >= 1 && out.extent[2] == x.extent[2]);
  LAVA_CHECK(out.extent[0] * size == x.extent[0] && out.extent[1] * size == x.extent[1]);
  PoolMeanArgs args;
  args.out = out, args.x = x, args.size = size;
  run.execute(args);
}

void copy_rows(Run& run, const Tensor& out, const Tensor& x) {
  LAVA_CHECK(out.dtype == DType::f32 && x.dtype == DType::f32 && out.rank == x.rank && out.extent == x.extent);
  CopyRowsArgs args;
  args.out = out, args.x = x;
  run.execute(args);
}

}  // namespace lava::ops
