// Rotary embedding of q and k, then k and v go to the cache at positions past .. past + rows.
#pragma once
#include "kernels/attention/cache.h"
#include "kernels/op.h"
#include "kernels/step_params.h"

namespace lava {

enum class RopeStyle : uint8_t {
  half,      // pairs (i, i + rotary/2): Hugging Face order
  adjacent   // pairs (2i, 2i + 1): GGUF files of the llama family
};

struct QkvRopeStoreArgs {
  static constexpr OpId id = OpId::qkv_rope_store;
  Tensor q;                 // f32 [rows, heads, d], rotated in place
  Tensor k, v;              // f32 [rows, kv_heads, d]; k is rotated on its way to the cache
  Tensor cos_sin;           // f32 [context, rotary]: cosines of the rotary/2 angles, then sines; rotary <= d, the rest passes through
  Tensor k_cache, v_cache;  // [kv_heads, context, d], is_cache (kernels/attention/cache.h)
  RopeStyle style = RopeStyle::half;
  const StepParams* step = nullptr;

  void visit(TensorVisitor& visitor) {
    visitor.written(q), visitor.written(k_cache), visitor.written(v_cache);
    visitor.read(k), visitor.read(v), visitor.read(cos_sin);
  }
  Cost cost() const {
    const double written = 2.0 / cache_unit * static_cast<double>(row_bytes(k_cache.dtype, cache_unit * k.elements()));
    return {8.0 * q.elements() + 4.0 * (k.elements() + v.elements()) + written, 6.0 * q.elements()};
  }
};

// Checked.
QkvRopeStoreArgs qkv_rope_store_args(const StepParams*, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos_sin, RopeStyle,
                                     const Tensor& k_cache, const Tensor& v_cache);

}  // namespace lava
