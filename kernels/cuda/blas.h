// Products of 16-bit weights by cuBLASLt, where it is installed: descriptors and the choice of algorithm are kept per shape.
#pragma once
#include <memory>
#include <string>

#include "kernels/cuda/memory.h"
#include "kernels/cuda/stream.h"

namespace lava::cuda {

// out [rows, outputs] = x [rows, in] weight [outputs, in]^T, plus out when accumulate, plus bias; sums in float32.
struct BlasProduct {
  bool half;                  // weight and x are F16, else BF16
  const std::byte *weight, *x;
  float* out;
  const float* bias;          // f32 [outputs], or null
  int64_t rows, outputs, in;
  int64_t x_stride, out_stride;  // in values
  bool accumulate;
};

class Blas {
 public:
  // Null where the library is not installed, does not work on this card, or the card has no room for its workspace. An error: the device is lost.
  static Result<std::unique_ptr<Blas>> open(int ordinal);
  virtual ~Blas() = default;

  // False: nothing was done, and an own kernel must serve this product (the library has no algorithm for it, or refused it).
  // An error of the library while it ran is the stream's first error.
  virtual bool multiply(const BlasProduct& product, Stream& stream) = 0;
  virtual std::string description() const = 0;  // "cuBLASLt 13.0.2"
};

}  // namespace lava::cuda
