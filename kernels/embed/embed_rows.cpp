#include "kernels/embed/embed_rows.h"

#include "kernels/ops.h"

namespace lava::ops {
namespace {

void check_table(const Tensor& out, const Matrix& table) {
  LAVA_CHECK(!table.empty() && table.in % dtype_info(table.format).block == 0);
  LAVA_CHECK(table.layout == MatrixLayout::rows || can_interleave(table.format));
  LAVA_CHECK(out.dtype == DType::f32 && out.rank == 2 && out.extent[1] == table.in && (table.in == 1 || out.stride[1] == 1));
}

}  // namespace

void embed_rows(Run& run, const Tensor& out, const Matrix& table, const Tensor& ids) {
  check_table(out, table);
  LAVA_CHECK(!ids.empty() && ids.dtype == DType::i32 && ids.contiguous() && ids.elements() == out.extent[0]);
  run.execute(EmbedRowsArgs{out, table, ids, nullptr});
}

void embed_step(Run& run, const Tensor& out, const Matrix& table) {
  check_table(out, table);
  LAVA_CHECK(out.extent[0] == 1 && run.step != nullptr);
  run.execute(EmbedRowsArgs{out, table, {}, run.step});
}

}  // namespace lava::ops
