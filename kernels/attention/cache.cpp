#include "kernels/attention/cache.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/formats/formats.h"

namespace lava {
namespace {

constexpr int64_t block_bytes = dtype_info(DType::q8_0).bytes;

bool suits_type(const Tensor& t) {
  if (t.rank != 3 || (is_interleaved(t.dtype) && t.extent[1] % cache_unit != 0)) return false;
  if (t.dtype == DType::q8_0 || is_coded_part(t.dtype)) return t.extent[2] % coded_channels == 0 && t.contiguous();
  return t.stride[2] == 1 && (t.dtype != DType::f16_keys || t.contiguous());
}

std::byte* part_of(const Tensor& t, int64_t head, int64_t position, int64_t channel) {
  return unit_of(t, head, position) + channel / coded_channels * coded_part;
}

uint16_t* half_key(const Tensor& t, int64_t head, int64_t position, int64_t i) {
  return reinterpret_cast<uint16_t*>(unit_of(t, head, position)) + i * cache_unit + position % cache_unit;
}

}  // namespace

bool is_cache(const Tensor& keys, const Tensor& values) {
  const auto pair = [&](bool interleaved) {
    const DType format = values.dtype == DType::q8_values ? DType::q8_0 : values.dtype;
    const CacheTypes types = cache_types(format, interleaved);
    return keys.dtype == types.keys && values.dtype == types.values;
  };
  const bool known = values.dtype == DType::f32 || values.dtype == DType::f16 || values.dtype == DType::q8_0 || values.dtype == DType::q8_values;
  return known && (pair(false) || pair(true)) && keys.extent == values.extent && suits_type(keys) && suits_type(values);
}

void gather_block(DType type, const std::byte* part, int64_t p, std::byte* block) {
  std::copy_n(part + 2 * p, 2, block);
  for (int64_t c = 0; c < coded_channels; ++c) block[2 + c] = part[coded_scales + code_place(type, p, c)];
}

void scatter_block(DType type, std::byte* part, int64_t p, const std::byte* block) {
  std::copy_n(block, 2, part + 2 * p);
  for (int64_t c = 0; c < coded_channels; ++c) part[coded_scales + code_place(type, p, c)] = block[2 + c];
}

float cache_value(const Tensor& t, int64_t head, int64_t position, int64_t i) {
  if (is_coded_part(t.dtype)) {
    const std::byte* part = part_of(t, head, position, i);
    uint16_t scale;
    std::memcpy(&scale, part + position % cache_unit * 2, 2);
    const auto code = static_cast<int8_t>(part[coded_scales + code_place(t.dtype, position % cache_unit, i % coded_channels)]);
    return half_to_float(scale) * static_cast<float>(code);
  }
  if (t.dtype == DType::f16_keys) return half_to_float(*half_key(t, head, position, i));
  const int64_t at = head * t.stride[0] + position * t.stride[1] + i;
  if (t.dtype == DType::q8_0) return q8_0_value(t.data, at);
  return t.dtype == DType::f16 ? half_to_float(t.as<uint16_t>()[at]) : t.as<float>()[at];
}

void cache_store(const Tensor& t, int64_t head, int64_t position, const float* x) {
  const int64_t d = t.extent[2];
  if (!is_interleaved(t.dtype)) {
    return quantize_row(t.dtype, x, t.data + row_bytes(t.dtype, head * t.stride[0] + position * t.stride[1]), d);
  }
  std::vector<std::byte> row(row_bytes(is_coded_part(t.dtype) ? DType::q8_0 : DType::f16, d));
  if (t.dtype == DType::f16_keys) {
    quantize_row(DType::f16, x, row.data(), d);
    for (int64_t i = 0; i < d; ++i) std::copy_n(row.data() + 2 * i, 2, reinterpret_cast<std::byte*>(half_key(t, head, position, i)));
    return;
  }
  quantize_row(DType::q8_0, x, row.data(), d);
  for (int64_t i = 0; i < d; i += coded_channels)
    scatter_block(t.dtype, part_of(t, head, position, i), position % cache_unit, row.data() + i / coded_channels * block_bytes);
}

}  // namespace lava
