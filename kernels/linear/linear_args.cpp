// What the arguments of linear say of its memory and its cost.
#include "kernels/linear/linear.h"
#include "kernels/linear/prepared.h"

namespace lava {

size_t LinearArgs::scratch_bytes() const { return LinearScratch(*this).bytes(); }

void LinearArgs::visit(TensorVisitor& visitor) {
  visitor.read(x);  // scratch is no result: what it holds after the op is nobody's business
  if (!norm.gain.empty()) visitor.read(norm.gain);
  for (int i = 0; i < targets; ++i) {
    if (!target[i].bias.empty()) visitor.read(target[i].bias);
    visitor.written(target[i].out);
  }
}

Cost LinearArgs::cost() const {
  Cost cost{4.0 * static_cast<double>(x.elements()), 0.0};
  for (int i = 0; i < targets; ++i) {
    const Matrix& w = target[i].weight;
    const double rows = static_cast<double>(x.rows());
    cost.bytes += static_cast<double>(packed_bytes(w.format, w.layout, w.out, w.in)) + (target[i].accumulate ? 8.0 : 4.0) * rows * w.out;
    cost.flops += 2.0 * rows * w.out * w.in;
  }
  if (!norm.gain.empty()) cost.flops += 4.0 * static_cast<double>(x.elements());
  if (gated) cost.flops += static_cast<double>(target[0].out.elements());
  return cost;
}

}  // namespace lava
