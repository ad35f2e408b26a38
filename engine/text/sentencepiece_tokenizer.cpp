#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/io/json_file.h"
#include "engine/text/pipeline_tokenizer.h"
#include "engine/text/sentencepiece_file.h"
#include "engine/text/spm_model.h"
#include "engine/text/tokenizer.h"
#include "engine/text/tokenizer_config.h"

namespace lava::text {

namespace {

const std::string word_mark = "\xE2\x96\x81";

tl::unexpected<Error> unsupported(std::string cause) {
  return fail(Error::Kind::unsupported, "The SentencePiece file is of a kind that is not supported", std::move(cause),
              "Choose a model with a BPE vocabulary");
}

Result<void> check_kind(const SentencePieceFile& file) {
  if (file.model_type != 2)
    return unsupported(file.model_type == 1 ? "it is a unigram model" : "model type " + std::to_string(file.model_type));
  if (file.has_charsmap && file.normalizer_name != "identity")
    return unsupported("it normalises text with the rules " + file.normalizer_name.substr(0, 80));
  if (!file.escape_whitespaces) return unsupported("it does not mark spaces");
  for (const float score : file.scores)
    if (std::isnan(score)) return fail(Error::Kind::invalid, "The SentencePiece file is broken", "a score is not a number");
  return {};
}

void fill_table(const SentencePieceFile& file, TokenTable& table) {
  for (size_t id = 0; id < file.pieces.size(); ++id)
    table.place(static_cast<int64_t>(id), file.pieces[id], static_cast<TokenKind>(file.types[id]));
  const auto id_or_none = [&](int64_t id) { return table.contains(id) ? static_cast<int32_t>(id) : no_token; };
  table.special.unknown = id_or_none(file.unk_id);
  table.special.bos = id_or_none(file.bos_id);
  table.special.eos = id_or_none(file.eos_id);
  table.special.pad = id_or_none(file.pad_id);
  table.special.add_bos = table.special.bos != no_token;
}

// added_tokens.json: {"<image>": 32000}. These count as special.
Result<std::vector<AddedToken>> read_added_tokens(std::string_view text) {
  std::vector<AddedToken> tokens;
  if (text.empty()) return tokens;
  LAVA_TRY(const auto object, io::parse_json(text, "The list of added tokens"));
  if (!object.is_object())
    return fail(Error::Kind::invalid, "The list of added tokens cannot be read", "added_tokens.json is not a JSON object");
  for (const auto& [content, id] : object.items()) {
    if (!id.is_number_integer() || id < 0 || id >= TokenTable::max_tokens)
      return fail(Error::Kind::invalid, "The list of added tokens is broken", "no usable id for " + content.substr(0, 80));
    tokens.push_back({.id = id.get<int32_t>(), .content = content, .special = true});
  }
  return tokens;
}

std::vector<AddedToken> own_tokens(const SentencePieceFile& file) {
  std::vector<AddedToken> tokens;
  for (size_t id = 0; id < file.pieces.size(); ++id) {
    const auto kind = static_cast<TokenKind>(file.types[id]);
    if (kind != TokenKind::control && kind != TokenKind::unknown && kind != TokenKind::user_defined) continue;
    tokens.push_back({.id = static_cast<int32_t>(id), .content = file.pieces[id], .special = kind != TokenKind::user_defined});
  }
  return tokens;
}

// SentencePiece's own clean-up: no space at either end, never two in a row.
NormalizerStep collapse_spaces() {
  return [](std::string text, const Deadline&) -> Result<std::string> {
    std::string out;
    for (const char c : text)
      if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
  };
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> from_sentencepiece(std::string_view protobuf, std::string_view tokenizer_config_json,
                                                      std::string_view added_tokens_json) try {
  LAVA_TRY(SentencePieceFile file, read_sentencepiece(protobuf));
  LAVA_CHECK_OK(check_kind(file));
  LAVA_TRY(const TokenizerConfig config, read_tokenizer_config(tokenizer_config_json));
  LAVA_TRY(const std::vector<AddedToken> extra, read_added_tokens(added_tokens_json));
  Pipeline pipeline;
  fill_table(file, pipeline.table);
  LAVA_CHECK_OK(merge_added_tokens(own_tokens(file), pipeline.table, pipeline.added));
  LAVA_CHECK_OK(merge_added_tokens(extra, pipeline.table, pipeline.added));
  LAVA_CHECK_OK(merge_added_tokens(config.added, pipeline.table, pipeline.added));
  TokenTable& table = pipeline.table;
  table.index();
  apply_special_tokens(config, table);
  if (table.special.unknown != no_token) table.set_kind(table.special.unknown, TokenKind::unknown);
  table.set_end_of_generation({table.special.eos});

  if (file.remove_extra_whitespaces) pipeline.normalizers.push_back(collapse_spaces());
  const bool prefix = config.add_prefix_space.value_or(file.add_dummy_prefix);
  if (prefix && file.remove_extra_whitespaces) pipeline.normalizers.push_back(steps::prepend(" "));
  pipeline.prefix_space_at_start = prefix && !file.remove_extra_whitespaces;
  // The class LlamaTokenizer puts the space only at the very start, unless the configuration says "legacy".
  const bool llama_class = config.tokenizer_class == "LlamaTokenizer" || config.tokenizer_class == "LlamaTokenizerFast";
  pipeline.prefix_space_after_token = pipeline.prefix_space_at_start && (!llama_class || config.legacy.value_or(false));
  pipeline.normalizers.push_back(steps::replace(" ", word_mark));
  file.scores.resize(table.size(), -1000.0f);
  const auto model = std::make_shared<const SpmModel>(table, std::move(file.scores));
  pipeline.model = [model](std::string_view word, std::vector<int32_t>& out) { model->encode(word, out); };
  pipeline.decode = {.byte_fallback = true, .replacements = {{word_mark, " "}}, .strip_left = prefix ? size_t{1} : size_t{0}};
  pipeline.kind = "SPM";
  return make_tokenizer(std::move(pipeline));
} catch (const std::exception& problem) {
  return fail(Error::Kind::invalid, "The SentencePiece file is broken", problem.what());
}

}  // namespace lava::text
