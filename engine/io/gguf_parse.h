// One GGUF file, before shards are joined.
#pragma once
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/io/gguf_types.h"
#include "engine/io/tensor_source.h"
#include "kernels/result.h"

namespace lava::io {

struct GgufParts {
  uint32_t version = 0, alignment = 0;
  std::vector<std::pair<std::string, GgufValue>> values;
  std::vector<TensorEntry> tensors;  // ranges checked against the file and against one another
};

// `source` names the file in messages. The spans of the result point into `bytes`.
Result<GgufParts> parse_gguf(std::span<const std::byte> bytes, const std::string& source);

// nullopt when the value is not an integer or does not fit.
std::optional<int64_t> gguf_integer(const GgufValue& value);
// Element i of an array of numbers, as an integer (booleans: 0 or 1) or a real.
int64_t gguf_integer_at(const GgufValue& array, uint64_t i, bool& fits);
double gguf_real_at(const GgufValue& array, uint64_t i);

}  // namespace lava::io
