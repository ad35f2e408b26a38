// Reshaping pictures and feature maps.
#pragma once
#include "kernels/op.h"

namespace lava {

// Cuts [channels, h, w] into patches of side p, row by row: out[patch] = pixels in (channel, y, x) order. A rest at right and bottom is cut.
struct PatchifyArgs {
  static constexpr OpId id = OpId::patchify;
  Tensor out;  // f32 [(h / p) * (w / p), channels * p * p]
  Tensor x;    // f32 [channels, h, w]; or bytes: u8 [h, w, channels], on devices that fuse
  Tensor table;  // of bytes: f32 [channels, 256], what they stand for; else empty
  int32_t patch = 14;

  [[gnu::always_inline]] int64_t channels() const { return table.empty() ? x.extent[0] : x.extent[2]; }
  [[gnu::always_inline]] int64_t height() const { return table.empty() ? x.extent[1] : x.extent[0]; }
  [[gnu::always_inline]] int64_t width() const { return table.empty() ? x.extent[2] : x.extent[1]; }
  void visit(TensorVisitor& visitor) {
    visitor.written(out), visitor.read(x);
    if (!table.empty()) visitor.read(table);
  }
  Cost cost() const { return {4.0 * out.elements() + static_cast<double>(x.bytes()), 0}; }
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
