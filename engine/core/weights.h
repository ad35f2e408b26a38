// The weights of one model on one device: checks names and shapes, packs matrices, widens vectors, and owns the memory, which is the
// device's: only on one with host memory may the tensors be read at their addresses.
#pragma once
#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/weight_pack.h"
#include "engine/io/tensor_source.h"
#include "kernels/device.h"
#include "kernels/matrix.h"
#include "kernels/tensor.h"

namespace lava {

// A source whose matrices are packed again at every opening, unless they are found in a pack.
struct PackedSource {
  const io::TensorSource* source = nullptr;
  std::span<const io::MappedFile> files;  // of the source
  std::optional<WeightPack> pack;
  std::vector<PackedMatrix> matrices;  // all that were asked for, from the pack or packed here
  uint64_t bytes = 0;                  // of the matrices
};

// A matrix whose kernel reads the file's own layout is not copied: the sources given must outlive what was made from them.
class Weights {
 public:
  explicit Weights(Device& device) : device_(device) {}
  // Of a model that is not loaded yet, on a plan device: checks, shapes and bytes are right, and nothing lies at the addresses.
  static Weights plan(Device& device) { return Weights(device, true); }
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  // From now on unquantised matrices asked for in the fast precision are rounded to `format`, or multiplied in BF16 where their rows do not
  // fit its blocks.
  void quantize_to(DType format) { quantized_ = format; }
  // Matrices of `source` are taken from `pack` where it has them. What is packed nevertheless is read from the files but once: their pages
  // are given back. To be called before the first matrix.
  void add_source(const io::TensorSource& source, std::span<const io::MappedFile> files, std::optional<WeightPack> pack);
  const std::deque<PackedSource>& packed_sources() const { return sources_; }

  // [out, in] weight; the extents of a tensor of higher rank after the first count as `in`. Errors name the tensor, its shape and the
  // shape that was expected.
  Result<Matrix> matrix(const io::TensorSource&, std::string_view name, int64_t out, int64_t in, Precision);
  // A table whose rows are looked up one by one: never repacked, so a mapped file serves as it is.
  Result<Matrix> table(const io::TensorSource&, std::string_view name, int64_t rows, int64_t in);
  // Rows [begin, begin + count) of a [rows, in] weight (a fused q,k,v or gate,up).
  Result<Matrix> matrix_rows(const io::TensorSource&, std::string_view name, int64_t rows, int64_t in, int64_t begin, int64_t count,
                             Precision);
  // Any float or quantised tensor of `elements` values, widened to f32 and shaped.
  Result<Tensor> dense(const io::TensorSource&, std::string_view name, std::initializer_list<int64_t> shape);
  // The same on the host, for what is computed while loading.
  Result<std::vector<float>> values(const io::TensorSource&, std::string_view name, int64_t elements);
  // f32 values that the model computes itself (tables).
  Result<Tensor> dense_from(std::span<const float> values, std::initializer_list<int64_t> shape);
  // f32 memory that the model fills itself, zeroed; only on a device with host memory.
  Result<Tensor> zeros(std::initializer_list<int64_t> shape);
  // A matrix made from f32 values (LoRA, folded weights), kept as f32.
  Result<Matrix> matrix_from(const float* values, int64_t out, int64_t in);

  // Row `row` of a matrix that was made here, widened.
  void read_row(const Matrix& matrix, int64_t row, float* target) const;

  size_t bytes() const { return bytes_; }  // copied or used in place
  size_t allocated() const { return allocated_; }  // taken from the device
  bool planning() const { return planning_; }
  Device& device() const { return device_; }

 private:
  Weights(Device& device, bool planning) : device_(device), planning_(planning) {}
  Result<std::byte*> reserve(size_t bytes);
  PackedSource* known(const io::TensorSource&);
  Result<Matrix> place(const io::TensorSource&, const io::TensorEntry&, Matrix shape, int64_t begin);
  Result<void> pack(const PackedSource* from, const Matrix& shape, const std::byte* values, std::byte* target);
  Result<void> send(const Matrix& shape, const std::byte* values, std::byte* target);

  Device& device_;
  bool planning_ = false;
  DType quantized_ = DType::f32;  // f32: matrices keep their format
  std::deque<PackedSource> sources_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::unique_ptr<Buffer> staging_;  // where pieces of matrices are packed for a device with memory of its own
  std::byte* chunk_ = nullptr;  // rest of the last shared buffer
  size_t chunk_left_ = 0;
  size_t bytes_ = 0, allocated_ = 0;
};

// Which weights hold what belongs to a layer: one for all, or others from layer `first_above` on.
class LayerWeights {
 public:
  LayerWeights(Weights& all) : below_(all), above_(all) {}
  LayerWeights(Weights& below, Weights& above, int first_above) : below_(below), above_(above), first_above_(first_above) {}
  Weights& of(int layer) const { return layer < first_above_ ? below_ : above_; }

 private:
  Weights &below_, &above_;
  int first_above_ = 0;
};

}  // namespace lava
