#include "kernels/ops.h"

namespace lava::ops {
namespace {

bool is_image(const Tensor& t) { return t.dtype == DType::f32 && t.rank == 3 && t.contiguous() && t.elements() > 0; }

void run_patchify(Run& run, const PatchifyArgs& a) {
  const int64_t patch = a.patch;
  LAVA_CHECK(patch >= 1 && a.out.dtype == DType::f32 && a.out.rank == 2 && a.out.contiguous());
  LAVA_CHECK(a.out.extent[0] == (a.height() / patch) * (a.width() / patch) && a.out.extent[1] == a.channels() * patch * patch);
  run.execute(a);
}

}  // namespace

void patchify(Run& run, const Tensor& out, const Tensor& x, int patch) {
  LAVA_CHECK(is_image(x));
  PatchifyArgs args;
  args.out = out, args.x = x, args.patch = patch;
  run_patchify(run, args);
}

void patchify_bytes(Run& run, const Tensor& out, const Tensor& x, const Tensor& table, int patch) {
  LAVA_CHECK(run.device.info().fuses && x.dtype == DType::u8 && x.rank == 3 && x.contiguous() && x.elements() > 0);
  LAVA_CHECK(table.dtype == DType::f32 && table.rank == 2 && table.contiguous() && table.extent[0] == x.extent[2] && table.extent[1] == 256);
  PatchifyArgs args;
  args.out = out, args.x = x, args.table = table, args.patch = patch;
  run_patchify(run, args);
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
