// The numbers that GGUF uses for the types of its values and tensors.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kernels/dtype.h"

namespace lava::io {

enum class GgufType : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };
inline constexpr uint32_t gguf_type_count = 13;

std::string_view gguf_type_name(GgufType type);
size_t gguf_type_bytes(GgufType type);  // 0 for strings and arrays
bool is_gguf_integer(GgufType type);

// One metadata value, not copied: a scalar's bytes, a string's text, or all elements of an array as they stand in the file.
struct GgufValue {
  GgufType type = GgufType::u8;
  GgufType element = GgufType::u8;  // of an array
  uint64_t count = 1;               // of an array
  std::span<const std::byte> bytes;
};

std::optional<DType> dtype_of_ggml(uint32_t id);  // nullopt: a format that is not read
uint32_t ggml_id_of(DType dtype);                 // the reverse; u8 has none
std::string ggml_type_name(uint32_t id);          // also of formats that are not read: "Q2_K", "type 99"

}  // namespace lava::io
