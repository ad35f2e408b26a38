#include "engine/io/gguf_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kernels/check.h"

namespace lava::io {
namespace {

struct TypeInfo {
  std::string_view name;
  size_t bytes;
  bool integer;
};

constexpr std::array<TypeInfo, gguf_type_count> types = {{{"u8", 1, true},
                                                          {"i8", 1, true},
                                                          {"u16", 2, true},
                                                          {"i16", 2, true},
                                                          {"u32", 4, true},
                                                          {"i32", 4, true},
                                                          {"f32", 4, false},
                                                          {"bool", 1, false},
                                                          {"string", 0, false},
                                                          {"array", 0, false},
                                                          {"u64", 8, true},
                                                          {"i64", 8, true},
                                                          {"f64", 8, false}}};

struct TensorFormat {
  uint32_t id;
  std::string_view name;
  std::optional<DType> dtype;
};

// Ids 4, 5, 31 to 33 and 36 to 38 were withdrawn from the format.
constexpr TensorFormat formats[] = {
    {0, "F32", DType::f32},        {1, "F16", DType::f16},        {2, "Q4_0", DType::q4_0},      {3, "Q4_1", DType::q4_1},
    {4, "Q4_2 (withdrawn)", {}},   {5, "Q4_3 (withdrawn)", {}},   {6, "Q5_0", DType::q5_0},      {7, "Q5_1", DType::q5_1},
    {8, "Q8_0", DType::q8_0},      {9, "Q8_1", {}},               {10, "Q2_K", {}},              {11, "Q3_K", {}},
    {12, "Q4_K", DType::q4_k},     {13, "Q5_K", DType::q5_k},     {14, "Q6_K", DType::q6_k},     {15, "Q8_K", {}},
    {16, "IQ2_XXS", {}},           {17, "IQ2_XS", {}},            {18, "IQ3_XXS", {}},           {19, "IQ1_S", {}},
    {20, "IQ4_NL", {}},            {21, "IQ3_S", {}},             {22, "IQ2_S", {}},             {23, "IQ4_XS", {}},
    {24, "I8", DType::i8},         {25, "I16", {}},               {26, "I32", DType::i32},       {27, "I64", {}},
    {28, "F64", {}},               {29, "IQ1_M", {}},             {30, "BF16", DType::bf16},     {31, "Q4_0_4_4 (withdrawn)", {}},
    {32, "Q4_0_4_8 (withdrawn)", {}}, {33, "Q4_0_8_8 (withdrawn)", {}}, {34, "TQ1_0", {}},       {35, "TQ2_0", {}},
    {36, "IQ4_NL_4_4 (withdrawn)", {}}, {37, "IQ4_NL_4_8 (withdrawn)", {}}, {38, "IQ4_NL_8_8 (withdrawn)", {}}, {39, "MXFP4", {}},
    {40, "NVFP4", {}},             {41, "Q1_0", {}},              {42, "Q2_0", {}},
};

const TensorFormat* format_of(uint32_t id) {
  const auto* found = std::find_if(std::begin(formats), std::end(formats), [id](const TensorFormat& f) { return f.id == id; });
  return found == std::end(formats) ? nullptr : found;
}

}  // namespace

std::string_view gguf_type_name(GgufType type) { return types[static_cast<size_t>(type)].name; }
size_t gguf_type_bytes(GgufType type) { return types[static_cast<size_t>(type)].bytes; }
bool is_gguf_integer(GgufType type) { return types[static_cast<size_t>(type)].integer; }

std::optional<DType> dtype_of_ggml(uint32_t id) {
  const TensorFormat* format = format_of(id);
  return format ? format->dtype : std::nullopt;
}

uint32_t ggml_id_of(DType dtype) {
  const auto* found = std::find_if(std::begin(formats), std::end(formats), [dtype](const TensorFormat& f) { return f.dtype == dtype; });
  LAVA_CHECK(found != std::end(formats));
  return found->id;
}

std::string ggml_type_name(uint32_t id) {
  const TensorFormat* format = format_of(id);
  return format ? std::string(format->name) : fmt::format("type {}", id);
}

}  // namespace lava::io
