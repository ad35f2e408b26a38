// Keys and values of every position of the layers that a device computes, in one buffer of it.
#pragma once
#include <memory>

#include "kernels/attention/cache.h"
#include "kernels/device.h"
#include "kernels/result.h"
#include "kernels/tensor.h"

namespace lava {

struct KvShape {
  int layers = 0, kv_heads = 0, context = 0, head_dim = 0;
  DType dtype = DType::f16;
  int first = 0;  // layer of the model

  size_t bytes() const {
    return 2 * static_cast<size_t>(layers) * static_cast<size_t>(kv_heads) * static_cast<size_t>(context) * row_bytes(dtype, head_dim);
  }
};

// How keys and values are kept. automatic: F16, or 8 bits where F16 would take more than a gibibyte.
enum class KvChoice : uint8_t { automatic, f16, int8 };

// The format of a cache of this shape. 8 bits come in blocks of 32 values: other heads keep F16. Float32 arithmetic keeps float32 unless told otherwise.
DType kv_format(KvChoice choice, KvShape shape, bool exact);

class KvCache {
 public:
  static Result<KvCache> create(Device& device, const KvShape& shape);

  Tensor keys(int layer) const { return at(2 * (layer - shape_.first), types_.keys); }  // of the model's; [kv_heads, positions, head_dim], after rope
  Tensor values(int layer) const { return at(2 * (layer - shape_.first) + 1, types_.values); }
  const KvShape& shape() const { return shape_; }

 private:
  Tensor at(int index, DType type) const;
  size_t layer_bytes() const;  // of its keys, or of its values

  KvShape shape_;
  CacheTypes types_{};
  int64_t positions_ = 0;  // the context, up to a multiple of cache_unit
  std::unique_ptr<Buffer> buffer_;
};

}  // namespace lava
