// Text to token ids and back, for SentencePiece and byte-level BPE vocabularies.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/token_table.h"
#include "kernels/result.h"

namespace lava::text {

struct EncodeOptions {
  bool parse_special = false;  // false: texts of control tokens stay plain text; user-defined added tokens are cut all the same
  bool at_start = true;        // false: a picture stands before this text
};

// A stretch of one text. Stretches of a text are split and merged as if they were written in one string; only the right to
// produce control tokens differs.
struct TextRun {
  std::string_view text;
  bool parse_special = false;
};

// Immutable after construction, so one tokenizer may serve several threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Ids of one text, without BOS or EOS. Ill-formed UTF-8 is read as U+FFFD. Fails only when a split pattern of the vocabulary
  // takes too long on this text. `at_start` false: the runs follow a picture.
  virtual Result<std::vector<int32_t>> encode_runs(std::span<const TextRun> runs, bool at_start) const = 0;

  // The bytes one token stands for: possibly a part of a character. Control tokens are empty unless `show_special`; unknown ids are empty.
  virtual std::string token_bytes(int32_t id, bool show_special = false) const = 0;

  // Whole text, always well-formed UTF-8. The space that encode() put before the first word is taken off again.
  virtual std::string decode(std::span<const int32_t> ids, bool show_special = false) const = 0;

  virtual size_t leading_spaces() const = 0;  // how many spaces decode() takes off at most
  virtual std::string_view kind() const = 0;  // "SPM" or "BPE"

  Result<std::vector<int32_t>> encode(std::string_view text, EncodeOptions options = {}) const {
    const TextRun run{text, options.parse_special};
    return encode_runs({&run, 1}, options.at_start);
  }

  const TokenTable& table() const { return table_; }
  int32_t size() const { return table_.size(); }
  std::optional<int32_t> id_of(std::string_view token_text) const { return table_.id_of(token_text); }
  std::string token_text(int32_t id) const { return std::string(table_.text(id)); }
  bool is_control(int32_t id) const { return table_.kind(id) == TokenKind::control; }
  bool ends_generation(int32_t id) const { return table_.ends_generation(id); }
  const SpecialIds& special() const { return table_.special; }
  const std::string& chat_template() const { return table_.chat_template; }

 protected:
  explicit Tokenizer(TokenTable table) : table_(std::move(table)) {}
  TokenTable table_;
};

// The tokenizer.ggml.* keys of a GGUF file, as they stand there.
struct GgufVocabulary {
  std::string model;  // "llama" or "gpt2"
  std::string pre;    // split rule of a BPE vocabulary; empty means "default"
  std::vector<std::string> tokens;
  std::vector<float> scores;         // may be empty
  std::vector<int32_t> token_types;  // may be empty
  std::vector<std::string> merges;   // "left right", best first
  std::optional<int64_t> bos_id, eos_id, unknown_id, padding_id, eot_id, eom_id;
  std::optional<bool> add_bos, add_eos, add_space_prefix;
  std::string chat_template;
  std::string general_name;  // general.name: Phi-3 files are told by it
};

Result<std::unique_ptr<Tokenizer>> from_gguf(const GgufVocabulary& vocabulary);
// tokenizer.json of Hugging Face, with tokenizer_config.json where there is one.
Result<std::unique_ptr<Tokenizer>> from_tokenizer_json(std::string_view json_text, std::string_view tokenizer_config_json = {});
// tokenizer.model of SentencePiece (BPE type), with tokenizer_config.json and added_tokens.json where there are any.
Result<std::unique_ptr<Tokenizer>> from_sentencepiece(std::string_view protobuf, std::string_view tokenizer_config_json = {},
                                                      std::string_view added_tokens_json = {});
// A Hugging Face folder, or a lone tokenizer.json or tokenizer.model.
Result<std::unique_ptr<Tokenizer>> from_folder(const std::filesystem::path& path);

// Names of the split rules from_gguf knows, for messages and for the setting that overrides a wrong one.
std::vector<std::string_view> known_split_rules();

}  // namespace lava::text
