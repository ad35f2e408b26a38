// What an op is to a device: an id, its typed arguments, and what the arguments say about memory and work.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/tensor.h"

namespace lava {

enum class OpId : uint8_t {
  linear, embed_rows, rms_norm, layer_norm, qkv_rope_store, attention, glu, activate, add, softmax,
  conv2d, patchify, resize_bilinear, pool_mean, copy_rows, rope_attention,
  count
};
inline constexpr int op_count = static_cast<int>(OpId::count);

struct Cost {
  double bytes = 0;  // that must move
  double flops = 0;  // multiply and add count as two
};

// Called for each tensor of an argument struct; `written` ones are results (also when they are read first, as in in-place ops).
struct TensorVisitor {
  virtual ~TensorVisitor() = default;
  virtual void read(Tensor&) = 0;
  virtual void written(Tensor&) = 0;
};

// An argument struct is trivially copyable, has `static constexpr OpId id`, `void visit(TensorVisitor&)` and `Cost cost() const`.
struct OpCall {
  OpId id = OpId::count;
  const void* args = nullptr;
  uint32_t size = 0;
};
inline constexpr size_t max_op_args = 704;

template <class Args>
OpCall make_call(const Args& args) {
  static_assert(std::is_trivially_copyable_v<Args> && sizeof(Args) <= max_op_args);
  return {Args::id, &args, sizeof(Args)};
}

// Type-erased view of every op's arguments, filled in kernels/op_info.cpp.
struct OpInfo {
  const char* name;
  void (*visit)(void* args, TensorVisitor&);
  Cost (*cost)(const void* args);
};
const OpInfo& op_info(OpId);

}  // namespace lava
