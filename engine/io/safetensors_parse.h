// The header of one safetensors file.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/io/safetensors.h"
#include "kernels/result.h"

namespace lava::io {

struct SafetensorsParts {
  std::vector<TensorEntry> tensors;  // in the order of their bytes
  std::vector<Safetensors::Unread> unread;
  std::map<std::string, std::string> metadata;
};

// The spans of the result point into `bytes`; `source` names the file in messages.
Result<SafetensorsParts> parse_safetensors(std::span<const std::byte> bytes, const std::string& source);

}  // namespace lava::io
