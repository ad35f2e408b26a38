// Elementwise activations.
#pragma once
#include "kernels/op.h"

namespace lava {

// gelu: exact erf form; gelu_tanh: the tanh form; gelu_quick: x sigmoid(1.702 x); silu: x sigmoid(x); relu6: clamp to 0..6.
enum class Activation : uint8_t { none, gelu, gelu_tanh, gelu_quick, silu, relu, relu6 };

struct ActivateArgs {
  static constexpr OpId id = OpId::activate;
  Tensor out, x;  // f32, same shape, may be the same memory
  Activation kind = Activation::none;

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(x); }
  Cost cost() const { return {8.0 * x.elements(), 8.0 * x.elements()}; }
};

struct GluArgs {
  static constexpr OpId id = OpId::glu;
  Tensor out, gate, up;  // f32 [rows, width]; out = act(gate) * up; out may be gate
  Activation kind = Activation::silu;

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(gate), visitor.read(up); }
  Cost cost() const { return {12.0 * gate.elements(), 9.0 * gate.elements()}; }
};

struct AddArgs {
  static constexpr OpId id = OpId::add;
  Tensor out, a, b;  // f32 [rows, width]; b may be [width] (one row for all); out may be a

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(a), visitor.read(b); }
  Cost cost() const { return {8.0 * a.elements() + 4.0 * b.elements(), 1.0 * a.elements()}; }
};

}  // namespace lava
