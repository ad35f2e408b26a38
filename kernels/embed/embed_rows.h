// out[i] = row ids[i] of the table, widened to float32.
#pragma once
#include "kernels/matrix.h"
#include "kernels/op.h"
#include "kernels/step_params.h"

namespace lava {

struct EmbedRowsArgs {
  static constexpr OpId id = OpId::embed_rows;
  Tensor out;                        // f32 [n, width]
  Matrix table;                      // [vocabulary, width], any layout
  Tensor ids;                        // i32 [n]; empty: the one id is step->token
  const StepParams* step = nullptr;  // ids outside the table are the caller's mistake: checked before

  void visit(TensorVisitor& visitor) {
    visitor.written(out);
    if (!ids.empty()) visitor.read(ids);
  }
  Cost cost() const { return {4.0 * out.elements() + row_bytes(table.format, table.in) * static_cast<double>(out.rows()), 0}; }
};

}  // namespace lava
