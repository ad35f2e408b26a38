// Number formats of tensors and weights. Block layouts of the quantised ones: GGUF (docs/architecture.md, "Weight formats").
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lava {

enum class DType : uint8_t { f32, f16, bf16, i32, i8, u8, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k, f16_keys, q8_keys, q8_values };
inline constexpr int dtype_count = 17;  // the last three: kernels/attention/cache.h

struct DTypeInfo {
  std::string_view name;
  int block;  // values per block
  int bytes;  // bytes per block
};

inline constexpr DTypeInfo dtype_table[dtype_count] = {
    {"F32", 1, 4},      {"F16", 1, 2},      {"BF16", 1, 2},     {"I32", 1, 4},      {"I8", 1, 1},       {"U8", 1, 1},
    {"Q4_0", 32, 18},   {"Q4_1", 32, 20},   {"Q5_0", 32, 22},   {"Q5_1", 32, 24},   {"Q8_0", 32, 34},   {"Q4_K", 256, 144},
    {"Q5_K", 256, 176}, {"Q6_K", 256, 210}, {"F16 keys", 1, 2}, {"Q8_0 keys", 512, 544}, {"Q8_0 values", 512, 544}};
[[gnu::always_inline]] constexpr DTypeInfo dtype_info(DType type) { return dtype_table[static_cast<int>(type)]; }

constexpr bool is_quantized(DType type) { return type >= DType::q4_0 && type <= DType::q6_k; }

// Bytes of a row of `count` values; count must be a multiple of the block.
[[gnu::always_inline]] constexpr size_t row_bytes(DType type, int64_t count) {
  const DTypeInfo info = dtype_info(type);
  return static_cast<size_t>(count / info.block) * static_cast<size_t>(info.bytes);
}

}  // namespace lava
