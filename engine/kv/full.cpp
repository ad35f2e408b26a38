#include "engine/kv/full.h"

namespace lava {

Result<KvCache> KvCache::create(Device& device, const KvShape& shape) {
  KvCache cache;
  cache.shape_ = shape;
  LAVA_TRY(cache.buffer_, device.allocate(shape.bytes(), BufferUse::sparse));
  return cache;
}

Tensor KvCache::at(int index) const {
  const size_t bytes = shape_.bytes() / (2 * static_cast<size_t>(shape_.layers));
  return Tensor(shape_.dtype, {shape_.kv_heads, shape_.context, shape_.head_dim}, buffer_->data() + static_cast<size_t>(index) * bytes);
}

}  // namespace lava
