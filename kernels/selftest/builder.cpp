#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/attention/cache.h"
#include "kernels/formats/formats.h"
#include "kernels/selftest/cases.h"

namespace lava::selftest_detail {

uint64_t Builder::next() {  // SplitMix64
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

float Builder::uniform(float low, float high) {
  return low + (high - low) * static_cast<float>(next() >> 40) * 0x1p-24f;
}

Tensor Builder::random(std::initializer_list<int64_t> shape, float scale) { return random_between(shape, -scale, scale); }

Tensor Builder::random_between(std::initializer_list<int64_t> shape, float low, float high) {
  const Tensor t = run.arena.f32(shape);
  for (int64_t i = 0; i < t.elements(); ++i) t.f32()[i] = uniform(low, high);
  return t;
}

Tensor Builder::random_with_outliers(std::initializer_list<int64_t> shape) {
  constexpr int64_t outlier_spacing = 151;  // a prime: outliers fall on every place of a block
  const Tensor t = random(shape);
  for (int64_t channel = outlier_spacing / 2; channel < t.width(); channel += outlier_spacing) {
    const float factor = uniform(20, 60);
    for (int64_t row = 0; row < t.rows(); ++row) t.row(row)[channel] *= factor;
  }
  return t;
}

CacheTensors Builder::cache(DType type, int64_t kv_heads, int64_t context, int64_t d) {
  const bool interleaved = run.device.info().interleaves_cache;
  const CacheTypes types = cache_types(type, interleaved);
  const int64_t positions = interleaved ? whole_units(context) : context;
  const CacheTensors cache{run.arena.tensor(types.keys, {kv_heads, positions, d}), run.arena.tensor(types.values, {kv_heads, positions, d})};
  std::vector<float> row(static_cast<size_t>(d));
  for (const Tensor& t : {cache.keys, cache.values}) {
    std::memset(t.data, 0xff, t.bytes());  // not a number, in every format: what lies behind the context is nobody's
    for (int64_t i = 0; i < kv_heads * context; ++i) {
      for (float& v : row) v = uniform(-1, 1);
      cache_store(t, i / context, i % context, row.data());
    }
  }
  return cache;
}

Tensor Builder::bytes(std::initializer_list<int64_t> shape) {
  const Tensor t = run.arena.tensor(DType::u8, shape);
  for (int64_t i = 0; i < t.elements(); ++i) t.as<uint8_t>()[i] = static_cast<uint8_t>(next() >> 56);
  return t;
}

Tensor Builder::ids(int64_t count, int32_t limit) {
  const Tensor t = run.arena.tensor(DType::i32, {count});
  for (int64_t i = 0; i < count; ++i) t.as<int32_t>()[i] = static_cast<int32_t>(next() % static_cast<uint64_t>(limit));
  return t;
}

Matrix Builder::matrix(DType format, MatrixLayout layout, Precision precision, int64_t out, int64_t in, float low) {
  if (!is_quantized(format) && !run.device.info().host_memory) layout = MatrixLayout::rows;  // only the processor interleaves BF16
  constexpr int64_t own_values = 1 << 16;  // of a larger matrix the rest repeats blocks of these in random order: encoding takes long
  const auto [name, block, bytes] = dtype_info(format);
  const int64_t blocks = out * in / block, own = std::min(blocks, own_values / block);
  std::vector<float> values(static_cast<size_t>(own * block));
  for (float& v : values) v = uniform(low, 1);
  std::vector<std::byte> source(row_bytes(format, out * in));
  quantize_row(format, values.data(), source.data(), own * block);
  for (int64_t i = own; i < blocks; ++i)
    std::memcpy(source.data() + i * bytes, source.data() + static_cast<int64_t>(next() % static_cast<uint64_t>(own)) * bytes, static_cast<size_t>(bytes));
  auto* data = static_cast<std::byte*>(run.arena.allocate(packed_bytes(format, layout, out, in)));
  pack_matrix(format, layout, out, in, source.data(), data);
  Matrix m;
  m.format = format, m.layout = layout, m.precision = precision;
  m.out = static_cast<int32_t>(out), m.in = static_cast<int32_t>(in), m.data = data;
  return m;
}

}  // namespace lava::selftest_detail
