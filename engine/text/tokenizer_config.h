// What tokenizer_config.json says beyond tokenizer.json.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/added_tokens.h"
#include "engine/text/token_table.h"
#include "kernels/result.h"

namespace lava::text {

struct TokenizerConfig {
  std::string tokenizer_class;
  std::optional<bool> legacy, add_bos_token, add_eos_token, add_prefix_space;
  std::optional<std::string> bos_token, eos_token, pad_token, unk_token;
  std::vector<std::string> special_tokens;  // further ones that count as control tokens
  std::vector<AddedToken> added;            // added_tokens_decoder
  std::string chat_template;
};

// An empty text is an empty configuration.
Result<TokenizerConfig> read_tokenizer_config(std::string_view json_text);
// The chat template out of a string, or of a list with an entry named "default".
std::string chat_template_of(std::string_view chat_template_json);

// Puts the configuration's tokens into `table` and `added`: same content replaces, new content is appended at its id.
Result<void> merge_added_tokens(const std::vector<AddedToken>& tokens, TokenTable& table, std::vector<AddedToken>& added);
// Special ids of the configuration; call after TokenTable::index().
void apply_special_tokens(const TokenizerConfig& config, TokenTable& table);

}  // namespace lava::text
