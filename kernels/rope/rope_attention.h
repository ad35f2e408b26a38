// One row: rotary embedding of q and k, k and v to the cache at position `past`, and attention over positions 0 .. past. q stays as it is.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/rope/qkv_rope_store.h"

namespace lava {

struct RopeAttentionArgs {
  static constexpr OpId id = OpId::rope_attention;
  // Values of a group of query heads and their key head that the kernels keep at hand; wider ones are composed of two ops.
  static constexpr int64_t most_group_values = 32768;
  Tensor out;              // f32 [1, heads, d]
  QkvRopeStoreArgs rope;   // with one row
  float scale = 1;

  // Of the second half, as if q were rotated.
  AttentionArgs attention() const {
    AttentionArgs args;
    args.out = out, args.q = rope.q, args.k = rope.k_cache, args.v = rope.v_cache, args.scale = scale, args.step = rope.step;
    return args;
  }
  void visit(TensorVisitor& visitor) {
    visitor.written(out), visitor.written(rope.k_cache), visitor.written(rope.v_cache);
    visitor.read(rope.q), visitor.read(rope.k), visitor.read(rope.v), visitor.read(rope.cos_sin);
  }
  Cost cost() const {
    const Cost first = rope.cost(), second = attention().cost();
    return {first.bytes + second.bytes - 12.0 * rope.q.elements(), first.flops + second.flops};  // the rotated q goes nowhere
  }
};

}  // namespace lava
