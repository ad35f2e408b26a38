#include <algorithm>
#include <cmath>
#include <memory>

#include "engine/text/bpe_model.h"
#include "engine/text/byte_level.h"
#include "engine/text/pipeline_tokenizer.h"
#include "engine/text/split_rules.h"
#include "engine/text/spm_model.h"
#include "engine/text/tokenizer.h"

namespace lava::text {

namespace {

const std::string word_mark = "\xE2\x96\x81";  // U+2581

tl::unexpected<Error> broken(std::string cause) {
  return fail(Error::Kind::invalid, "The model file's vocabulary is broken", std::move(cause), "Download the file again");
}

TokenKind kind_of(const GgufVocabulary& v, size_t id, bool spm) {
  const std::string& text = v.tokens[id];
  if (v.token_types.empty()) return spm && byte_of_fallback_token(text) >= 0 ? TokenKind::byte : TokenKind::normal;
  const auto kind = static_cast<TokenKind>(v.token_types[id]);
  // Reserved places, which no text should reach.
  if (kind == TokenKind::control && text.find("unused") != std::string::npos) return TokenKind::unused;
  return kind;
}

Result<void> fill_table(const GgufVocabulary& v, bool spm, TokenTable& table) {
  const auto count = static_cast<int64_t>(v.tokens.size());
  if (count == 0) return broken("it has no tokens");
  if (count > TokenTable::max_tokens) return broken("it has " + std::to_string(count) + " tokens");
  if (!v.token_types.empty() && v.token_types.size() != v.tokens.size())
    return broken("the list of token types has another length than the list of tokens");
  if (!v.scores.empty() && v.scores.size() != v.tokens.size())
    return broken("the list of scores has another length than the list of tokens");
  if (std::any_of(v.scores.begin(), v.scores.end(), [](float score) { return std::isnan(score); }))
    return broken("a score is not a number");
  for (const int32_t type : v.token_types)
    if (type < 1 || type > 6) return broken("token type " + std::to_string(type) + " is unknown");
  for (int64_t id = 0; id < count; ++id) table.place(id, v.tokens[id], kind_of(v, id, spm));
  return {};
}

// Ids out of range count as absent. The keys are right where old files have wrong types.
void fill_special(const GgufVocabulary& v, bool spm, bool rule_adds_bos, TokenTable& table) {
  const auto id_of_key = [&](std::optional<int64_t> key, int32_t usual) {
    if (key && table.contains(*key)) return static_cast<int32_t>(*key);
    return spm && table.contains(usual) ? usual : no_token;
  };
  SpecialIds& special = table.special;
  special.bos = id_of_key(v.bos_id, 1);
  special.eos = id_of_key(v.eos_id, 2);
  special.unknown = id_of_key(v.unknown_id, 0);
  special.pad = id_of_key(v.padding_id, no_token);
  special.add_bos = v.add_bos.value_or(spm || rule_adds_bos) && special.bos != no_token;
  special.add_eos = v.add_eos.value_or(false) && special.eos != no_token;
  for (const int32_t id : {special.bos, special.eos}) {
    const bool plain = !v.token_types.empty() && table.kind(id) == TokenKind::normal;
    if (id != no_token && !plain) table.set_kind(id, TokenKind::control);
  }
  if (spm && special.unknown != no_token && special.unknown != special.bos && special.unknown != special.eos)
    table.set_kind(special.unknown, TokenKind::unknown);
  table.index();
  table.set_end_of_generation({special.eos, v.eot_id.value_or(no_token), v.eom_id.value_or(no_token)});
  table.chat_template = v.chat_template;
}

bool is_phi3(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name.find("phi-3") != std::string::npos || name.find("phi3") != std::string::npos;
}

Result<std::vector<AddedToken>> cut_tokens(const GgufVocabulary& v, const TokenTable& table) {
  std::vector<AddedToken> added;
  const bool phi3 = is_phi3(v.general_name);
  for (int32_t id = 0; id < table.size(); ++id) {
    const TokenKind kind = table.kind(id);
    if (kind != TokenKind::control && kind != TokenKind::unknown && kind != TokenKind::user_defined) continue;
    AddedToken token{.id = id, .content = std::string(table.text(id)), .special = kind != TokenKind::user_defined};
    if (token.content.size() > max_added_token_bytes)
      return broken("special token " + std::to_string(id) + " has " + std::to_string(token.content.size()) + " bytes");
    // Phi-3's published tokenizer takes white space after these tokens along; GGUF has no key for it.
    token.rstrip = phi3 && token.special && token.content != "<unk>" && token.content != "<s>" && token.content != "<|endoftext|>";
    added.push_back(std::move(token));
  }
  return added;
}

Result<BpeModel::Merges> split_merges(const std::vector<std::string>& merges) {
  BpeModel::Merges out;
  out.reserve(merges.size());
  for (const std::string& merge : merges) {
    const size_t space = merge.find(' ', 1);
    if (merge.empty() || space == std::string::npos || space + 1 == merge.size())
      return broken("a merge is not two texts: \"" + merge.substr(0, 80) + "\"");
    out.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  return out;
}

Result<std::unique_ptr<Tokenizer>> spm_from_gguf(const GgufVocabulary& v) {
  Pipeline pipeline;
  LAVA_CHECK_OK(fill_table(v, true, pipeline.table));
  fill_special(v, true, false, pipeline.table);
  LAVA_TRY(pipeline.added, cut_tokens(v, pipeline.table));
  pipeline.normalizers.push_back(steps::replace(" ", word_mark));
  pipeline.prefix_space_at_start = pipeline.prefix_space_after_token = v.add_space_prefix.value_or(true);
  const auto model = std::make_shared<const SpmModel>(pipeline.table, v.scores);
  pipeline.model = [model](std::string_view word, std::vector<int32_t>& out) { model->encode(word, out); };
  pipeline.decode = {.byte_fallback = true,
                     .replacements = {{word_mark, " "}},
                     .strip_left = pipeline.prefix_space_at_start ? size_t{1} : size_t{0},
                     .keep_after_bos = true};
  pipeline.kind = "SPM";
  return make_tokenizer(std::move(pipeline));
}

Result<std::unique_ptr<Tokenizer>> bpe_from_gguf(const GgufVocabulary& v) {
  const std::string name = v.pre.empty() ? "default" : v.pre;
  const auto rule = split_rule(name);
  if (!rule)
    return fail(Error::Kind::unsupported, "The model file names a way of splitting text that this program does not know",
                "tokenizer.ggml.pre is \"" + name.substr(0, 80) + "\"",
                "Load the model with the split rule \"default\"; answers may be somewhat worse");
  Pipeline pipeline;
  LAVA_CHECK_OK(fill_table(v, false, pipeline.table));
  fill_special(v, false, rule->add_bos, pipeline.table);
  LAVA_TRY(pipeline.added, cut_tokens(v, pipeline.table));
  if (rule->nfc) pipeline.normalizers.push_back(steps::normal_form(NormalForm::nfc));
  for (const std::string_view pattern : rule->patterns) {
    LAVA_TRY(Regex regex, Regex::compile(pattern));
    pipeline.splits.push_back(steps::split(steps::matches_of(std::move(regex)), steps::Behavior::isolated, false));
  }
  pipeline.splits.push_back(steps::byte_level(false, false));
  LAVA_TRY(const BpeModel::Merges merges, split_merges(v.merges));
  const BpeOptions options{.ignore_merges = rule->ignore_merges, .split_unknown_symbols = true, .first_duplicate_wins = true};
  LAVA_TRY(BpeModel built, BpeModel::build(pipeline.table, merges, options));
  const auto model = std::make_shared<const BpeModel>(std::move(built));
  pipeline.model = [model](std::string_view word, std::vector<int32_t>& out) { model->encode(word, out); };
  pipeline.decode = {.byte_level = true};
  return make_tokenizer(std::move(pipeline));
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> from_gguf(const GgufVocabulary& vocabulary) try {
  if (vocabulary.model == "llama") return spm_from_gguf(vocabulary);
  if (vocabulary.model == "gpt2") return bpe_from_gguf(vocabulary);
  if (vocabulary.model.empty() || vocabulary.model == "no_vocab")
    return fail(Error::Kind::invalid, "The model file has no vocabulary", "tokenizer.ggml.model is missing");
  return fail(Error::Kind::unsupported, "The model file's kind of tokenizer is not supported",
              "tokenizer.ggml.model is \"" + vocabulary.model.substr(0, 80) + "\"",
              "Choose a model with a SentencePiece (llama) or byte-level BPE (gpt2) vocabulary");
} catch (const std::exception& problem) {
  return broken(problem.what());
}

}  // namespace lava::text
