// How keys and values lie in a cache: [kv_heads, positions, d] row by row, or, where a device wants it (DeviceInfo::interleaves_cache), 16 positions
// side by side, so that a vector holds one channel of several keys and dot products need no sums across it.
#pragma once
#include "kernels/tensor.h"

namespace lava {

// In units of 16 positions, without gaps:
//   f16_keys           halves [d][16 positions]; values stay row by row in F16
//   q8_keys, q8_values  d / 32 parts of 544 bytes: the Q8_0 scales of the 16 positions, then their codes, so that neighbours meet in one
//                       multiply-add of pairs: [16 pairs of channels][16 positions][2], or [8 pairs of positions][32 channels][2]
inline constexpr int64_t cache_unit = 16, coded_channels = 32, coded_part = 544, coded_scales = 32;

struct CacheTypes {
  DType keys, values;
};
// Of a cache in F32, F16 or Q8_0.
constexpr CacheTypes cache_types(DType format, bool interleaved) {
  if (!interleaved || format == DType::f32) return {format, format};
  return format == DType::f16 ? CacheTypes{DType::f16_keys, DType::f16} : CacheTypes{DType::q8_keys, DType::q8_values};
}
constexpr bool is_interleaved(DType type) { return type >= DType::f16_keys; }
constexpr bool is_coded_part(DType type) { return type == DType::q8_keys || type == DType::q8_values; }

struct CacheTensors {
  Tensor keys, values;
};
constexpr int64_t whole_units(int64_t positions) { return (positions + cache_unit - 1) / cache_unit * cache_unit; }

// Whether these tensors may be the keys and values of a cache: one of the pairs above; [heads, positions, d], the same for both. F32 and F16 rows may lie
// apart; what comes in blocks is without gaps, d a multiple of 32; what is interleaved has a multiple of 16 positions.
bool is_cache(const Tensor& keys, const Tensor& values);

// Where the code of position p < 16 and channel c < 32 stands behind the scales of a part.
[[gnu::always_inline]] constexpr int64_t code_place(DType type, int64_t p, int64_t c) {
  return type == DType::q8_keys ? (c / 2 * cache_unit + p) * 2 + c % 2 : (p / 2 * coded_channels + c) * 2 + p % 2;
}
// The unit of 16 positions that `position` belongs to.
[[gnu::always_inline]] inline std::byte* unit_of(const Tensor& t, int64_t head, int64_t position) {
  return t.data + row_bytes(t.dtype, (head * t.extent[1] + position / cache_unit * cache_unit) * t.extent[2]);
}
// Position `p` of a coded part as a block of Q8_0, and back.
void gather_block(DType type, const std::byte* part, int64_t p, std::byte* block);
void scatter_block(DType type, std::byte* part, int64_t p, const std::byte* block);

// Element i of a position, and all of one: the definition of the layouts.
float cache_value(const Tensor& t, int64_t head, int64_t position, int64_t i);
void cache_store(const Tensor& t, int64_t head, int64_t position, const float* x);

}  // namespace lava
