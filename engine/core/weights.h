// The weights of one model on one device: checks names and shapes, packs matrices, widens vectors, and owns the memory.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/tensor_source.h"
#include "kernels/device.h"
#include "kernels/matrix.h"
#include "kernels/tensor.h"

namespace lava {

class Weights {
 public:
  explicit Weights(Device& device) : device_(device) {}
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  // [out, in] weight; errors name the tensor, its shape and the shape that was expected.
  Result<Matrix> matrix(const io::TensorSource&, std::string_view name, int64_t out, int64_t in, Precision);
  // The rows of several weights with the same `in` under one another (q, k, v). Formats must agree, else empty Matrix.
  // Any float or quantised tensor of `elements` values, widened to f32 and shaped.
  Result<Tensor> dense(const io::TensorSource&, std::string_view name, std::initializer_list<int64_t> shape);
  // f32 memory that the model fills itself (tables), zeroed.
  Result<Tensor> zeros(std::initializer_list<int64_t> shape);
  // A matrix made from f32 values (LoRA, folded weights), kept as f32.
  Result<Matrix> matrix_from(const float* values, int64_t out, int64_t in);

  size_t bytes() const { return bytes_; }
  Device& device() const { return device_; }

 private:
  Result<std::byte*> reserve(size_t bytes);

  Device& device_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  size_t bytes_ = 0;
};

}  // namespace lava
