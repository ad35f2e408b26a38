#include <vector>

#include "kernels/formats/formats.h"
#include "kernels/half.h"
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

Tensor Builder::random(std::initializer_list<int64_t> shape, float scale) {
  const Tensor t = run.arena.f32(shape);
  for (int64_t i = 0; i < t.elements(); ++i) t.f32()[i] = uniform(-scale, scale);
  return t;
}

Tensor Builder::random_half(std::initializer_list<int64_t> shape) {
  const Tensor t = run.arena.tensor(DType::f16, shape);
  for (int64_t i = 0; i < t.elements(); ++i) t.as<uint16_t>()[i] = float_to_half(uniform(-1, 1));
  return t;
}

Tensor Builder::ids(int64_t count, int32_t limit) {
  const Tensor t = run.arena.tensor(DType::i32, {count});
  for (int64_t i = 0; i < count; ++i) t.as<int32_t>()[i] = static_cast<int32_t>(next() % static_cast<uint64_t>(limit));
  return t;
}

Matrix Builder::matrix(DType format, MatrixLayout layout, Precision precision, int64_t out, int64_t in) {
  const size_t row = row_bytes(format, in);
  std::vector<float> values(static_cast<size_t>(in));
  std::vector<std::byte> source(row * static_cast<size_t>(out));
  for (int64_t o = 0; o < out; ++o) {
    for (float& v : values) v = uniform(-1, 1);
    quantize_row(format, values.data(), source.data() + row * static_cast<size_t>(o), in);
  }
  auto* data = static_cast<std::byte*>(run.arena.allocate(packed_bytes(format, layout, out, in)));
  pack_matrix(format, layout, out, in, source.data(), data);
  Matrix m;
  m.format = format, m.layout = layout, m.precision = precision;
  m.out = static_cast<int32_t>(out), m.in = static_cast<int32_t>(in), m.data = data;
  return m;
}

}  // namespace lava::selftest_detail
