// out = softmax(q k^T * scale + mask) v, per head; query head h reads key head h / (heads / kv_heads).
#pragma once
#include "kernels/matrix.h"
#include "kernels/op.h"
#include "kernels/step_params.h"

namespace lava {

// Whether keys or values may lie in such a tensor: f32 or f16 [heads, positions, d], any strides but the last;
// or q8_0 without gaps, d a multiple of 32.
bool is_cache(const Tensor& t);

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
    return {8.0 * q.elements() + 2 * keys * k.extent[0] * static_cast<double>(row_bytes(k.dtype, k.extent[2])), 4.0 * q.elements() * seen};
  }
};

// Checked.
AttentionArgs attention_args(const StepParams*, const Tensor& out, const Tensor& q, const Tensor& k, const Tensor& v, float scale, bool causal, Precision);

}  // namespace lava
