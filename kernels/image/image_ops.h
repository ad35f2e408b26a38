// Reshaping pictures and feature maps.
#pragma once
#include "kernels/op.h"

namespace lava {

// Cuts [channels, h, w] into patches of side p, row by row: out[patch] = pixels in (channel, y, x) order. A rest at right and bottom is cut.
struct PatchifyArgs {
  static constexpr OpId id = OpId::patchify;
  Tensor out;  // f32 [(h / p) * (w / p), channels * p * p]
  Tensor x;    // f32 [channels, h, w]
  int32_t patch = 14;

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(x); }
  Cost cost() const { return {8.0 * out.elements(), 0}; }
};

// Bilinear without antialiasing, half-pixel centres (align_corners false).
struct ResizeBilinearArgs {
  static constexpr OpId id = OpId::resize_bilinear;
  Tensor out;  // f32 [oh, ow, c]
  Tensor x;    // f32 [h, w, c]

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(x); }
  Cost cost() const { return {4.0 * (x.elements() + out.elements()), 8.0 * out.elements()}; }
};

// Mean over windows of side `size` with the same stride; extents must be multiples of it.
struct PoolMeanArgs {
  static constexpr OpId id = OpId::pool_mean;
  Tensor out;  // f32 [h / size, w / size, c]
  Tensor x;    // f32 [h, w, c]
  int32_t size = 2;

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(x); }
  Cost cost() const { return {4.0 * (x.elements() + out.elements()), 1.0 * x.elements()}; }
};

// out = x where both may be strided (rank <= 4, same extents).
struct CopyRowsArgs {
  static constexpr OpId id = OpId::copy_rows;
  Tensor out, x;  // f32

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(x); }
  Cost cost() const { return {8.0 * x.elements(), 0}; }
};

}  // namespace lava
