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

// No table in memory: one shared by the objects of different instruction sets would be a symbol of them all.
[[gnu::always_inline]] constexpr DTypeInfo dtype_info(DType type) {
  switch (type) {
    case DType::f32: return {"F32", 1, 4};
    case DType::f16: return {"F16", 1, 2};
    case DType::bf16: return {"BF16", 1, 2};
    case DType::i32: return {"I32", 1, 4};
    case DType::i8: return {"I8", 1, 1};
    case DType::u8: return {"U8", 1, 1};
    case DType::q4_0: return {"Q4_0", 32, 18};
    case DType::q4_1: return {"Q4_1", 32, 20};
    case DType::q5_0: return {"Q5_0", 32, 22};
    case DType::q5_1: return {"Q5_1", 32, 24};
    case DType::q8_0: return {"Q8_0", 32, 34};
    case DType::q4_k: return {"Q4_K", 256, 144};
    case DType::q5_k: return {"Q5_K", 256, 176};
    case DType::q6_k: return {"Q6_K", 256, 210};
    case DType::f16_keys: return {"F16 keys", 1, 2};
    case DType::q8_keys: return {"Q8_0 keys", 512, 544};
    case DType::q8_values: return {"Q8_0 values", 512, 544};
  }
  return {"", 1, 0};
}

constexpr bool is_quantized(DType type) { return type >= DType::q4_0 && type <= DType::q6_k; }

// Bytes of a row of `count` values; count must be a multiple of the block.
[[gnu::always_inline]] constexpr size_t row_bytes(DType type, int64_t count) {
  const DTypeInfo info = dtype_info(type);
  return static_cast<size_t>(count / info.block) * static_cast<size_t>(info.bytes);
}

}  // namespace lava
