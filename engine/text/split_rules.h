// Split rules that GGUF files only name ("tokenizer.ggml.pre").
#pragma once
#include <optional>
#include <string_view>
#include <vector>

namespace lava::text {

struct SplitRule {
  std::vector<std::string_view> patterns;  // applied one after the other, each refining the pieces of the one before
  bool ignore_merges = false;
  bool add_bos = false;
  bool nfc = false;
};

std::optional<SplitRule> split_rule(std::string_view name);

}  // namespace lava::text
