#include "engine/text/split_rules.h"

#include <array>
#include <string_view>

#include "engine/text/text_steps.h"
#include "engine/text/tokenizer.h"

namespace lava::text {

namespace {

constexpr std::string_view gpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view llama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view tekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view gpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view deepseek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view number = R"(\p{N})", numbers = R"(\p{N}+)", three_numbers = R"(\p{N}{1,3})", three_digits = "[0-9][0-9][0-9]";

enum class Family {
  llama3,
  llama3_plain,
  qwen2,
  qwen2_plain,
  qwen35,
  gpt2,
  digits_gpt2,
  falcon,
  deepseek_coder,
  deepseek3,
  tekken,
  gpt4o,
  fallback
};

struct Entry {
  std::string_view name;
  Family family;
};

constexpr std::array entries = {
    Entry{"default", Family::fallback},
    Entry{"llama-bpe", Family::llama3},
    Entry{"llama3", Family::llama3},
    Entry{"llama-v3", Family::llama3},
    Entry{"falcon3", Family::llama3},
    Entry{"pixtral", Family::llama3},
    Entry{"lfm2", Family::llama3},
    Entry{"dbrx", Family::llama3_plain},
    Entry{"smaug-bpe", Family::llama3_plain},
    Entry{"glm4", Family::llama3_plain},
    Entry{"chatglm-bpe", Family::llama3_plain},
    Entry{"qwen2", Family::qwen2},
    Entry{"deepseek-r1-qwen", Family::qwen2},
    Entry{"stablelm2", Family::qwen2_plain},
    Entry{"megrez", Family::qwen2_plain},
    Entry{"qwen35", Family::qwen35},
    Entry{"gpt-2", Family::gpt2},
    Entry{"phi-2", Family::gpt2},
    Entry{"mpt", Family::gpt2},
    Entry{"olmo", Family::gpt2},
    Entry{"jais", Family::gpt2},
    Entry{"exaone4", Family::gpt2},
    Entry{"smollm", Family::digits_gpt2},
    Entry{"command-r", Family::digits_gpt2},
    Entry{"starcoder", Family::digits_gpt2},
    Entry{"refact", Family::digits_gpt2},
    Entry{"codeshell", Family::digits_gpt2},
    Entry{"exaone", Family::digits_gpt2},
    Entry{"minerva-7b", Family::digits_gpt2},
    Entry{"falcon", Family::falcon},
    Entry{"deepseek-coder", Family::deepseek_coder},
    Entry{"deepseek-v3", Family::deepseek3},
    Entry{"tekken", Family::tekken},
    Entry{"gpt-4o", Family::gpt4o},
    Entry{"llama4", Family::gpt4o},
};

SplitRule rule_of(Family family) {
  switch (family) {
    case Family::llama3:
      return {.patterns = {llama3}, .ignore_merges = true, .add_bos = true};
    case Family::llama3_plain:
      return {.patterns = {llama3}};
    case Family::qwen2:
      return {.patterns = {qwen2}, .nfc = true};
    case Family::qwen2_plain:
      return {.patterns = {qwen2}};
    case Family::qwen35:
      return {.patterns = {qwen35}};
    case Family::gpt2:
      return {.patterns = {gpt2}};
    case Family::digits_gpt2:
      return {.patterns = {number, gpt2}};
    case Family::falcon:
      return {.patterns = {R"([\p{P}\$\+<=>\^~\|`]+)", gpt2, three_digits}};
    case Family::deepseek_coder:
      return {
          .patterns = {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)", number}};
    case Family::deepseek3:
      return {.patterns = {three_numbers, R"([\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+)", deepseek3}};
    case Family::tekken:
      return {.patterns = {tekken}, .ignore_merges = true, .add_bos = true};
    case Family::gpt4o:
      return {.patterns = {gpt4o}};
    case Family::fallback:
      return {.patterns = {R"([\p{P}\$\+<=>\^~\|]+)", gpt2, numbers, three_digits}};
  }
  return {};
}

}  // namespace

std::optional<SplitRule> split_rule(std::string_view name) {
  for (const Entry& entry : entries)
    if (entry.name == name) return rule_of(entry.family);
  return std::nullopt;
}

std::vector<std::string_view> known_split_rules() {
  std::vector<std::string_view> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  return names;
}

}  // namespace lava::text
