// out = softmax(q k^T * scale + mask) v, per head; query head h reads key head h / (heads / kv_heads).
#pragma once
#include "kernels/attention/cache.h"
#include "kernels/matrix.h"
#include "kernels/op.h"
#include "kernels/step_params.h"

namespace lava {

struct AttentionArgs {
  static constexpr OpId id = OpId::attention;
  Tensor out;               // f32 [rows, heads, d]
  Tensor q;                 // f32 [rows, heads, d]
  Tensor k, v;              // [kv_heads, positions, d], is_cache
  float scale = 1;
  bool causal = true;       // query i sees positions 0 .. past + i; else all of k
  const StepParams* step = nullptr;  // causal only: past; nullptr means past = 0
  Precision precision = Precision::exact;  // else, without mask: products of values rounded to BF16, where the processor has them

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(q), visitor.read(k), visitor.read(v); }
  Cost cost() const {
    const double past = step ? step->past : 0, rows = q.extent[0];
    const double seen = causal ? past + (rows + 1) / 2 : k.extent[1];
    const double keys = causal ? past + rows : k.extent[1];
    const auto bytes_of = [](const Tensor& t) { return static_cast<double>(row_bytes(t.dtype, cache_unit * t.extent[2])) / cache_unit; };  // of a position
    return {8.0 * q.elements() + keys * k.extent[0] * (bytes_of(k) + bytes_of(v)), 4.0 * q.elements() * seen};
  }
};

// Checked.
AttentionArgs attention_args(const StepParams*, const Tensor& out, const Tensor& q, const Tensor& k, const Tensor& v, float scale, bool causal, Precision);

}  // namespace lava
