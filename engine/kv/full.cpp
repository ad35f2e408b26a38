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
  cache.types_ = cache_types(shape.dtype, device.info().interleaves_cache);
  cache.positions_ = whole_units(shape.context);
  LAVA_TRY(cache.buffer_, device.allocate(2 * static_cast<size_t>(shape.layers) * cache.layer_bytes(), BufferUse::sparse));
  return cache;
}

size_t KvCache::layer_bytes() const { return row_bytes(shape_.dtype, shape_.kv_heads * positions_ * shape_.head_dim); }

Tensor KvCache::at(int index, DType type) const {
  LAVA_CHECK(index >= 0 && index < 2 * shape_.layers);
  return Tensor(type, {shape_.kv_heads, positions_, shape_.head_dim}, buffer_->data() + static_cast<size_t>(index) * layer_bytes());
}

}  // namespace lava
