#include "engine/kv/full.h"

namespace lava {

DType kv_format(KvChoice choice, KvShape shape, bool exact) {
  constexpr size_t most_halves = size_t{1} << 30;
  if (choice == KvChoice::automatic && exact) return DType::f32;
  shape.dtype = DType::f16;
  const bool coded = choice == KvChoice::int8 || (choice == KvChoice::automatic && shape.bytes() > most_halves);
  return coded && shape.head_dim % dtype_info(DType::q8_0).block == 0 ? DType::q8_0 : DType::f16;
}

Result<KvCache> KvCache::create(Device& device, const KvShape& shape) {
  KvCache cache;
  cache.shape_ = shape;
  LAVA_TRY(cache.buffer_, device.allocate(shape.bytes(), BufferUse::sparse));
  return cache;
}

Tensor KvCache::at(int index) const {
  LAVA_CHECK(index >= 0 && index < 2 * shape_.layers);
  const size_t bytes = shape_.bytes() / (2 * static_cast<size_t>(shape_.layers));
  return Tensor(shape_.dtype, {shape_.kv_heads, shape_.context, shape_.head_dim}, buffer_->data() + static_cast<size_t>(index) * bytes);
}

}  // namespace lava
