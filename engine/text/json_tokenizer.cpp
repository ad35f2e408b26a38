#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/io/json_file.h"
#include "engine/text/bpe_model.h"
#include "engine/text/json_steps.h"
#include "engine/text/tokenizer.h"
#include "engine/text/tokenizer_config.h"

namespace lava::text {

namespace {

using nlohmann::json;

tl::unexpected<Error> broken(std::string cause) {
  return fail(Error::Kind::invalid, "The tokenizer file is broken", std::move(cause), "Download the file again");
}

tl::unexpected<Error> unsupported(std::string cause) {
  return fail(Error::Kind::unsupported, "The tokenizer's model is not supported", std::move(cause),
              "Choose a model with a SentencePiece or byte-level BPE tokenizer");
}

const json& member(const json& object, const char* key) {
  static const json nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

bool is_true(const json& object, const char* key) { return member(object, key) == true; }

Result<void> check_model(const json& model) {
  if (!model.is_object()) return broken("it has no model");
  const json& type = member(model, "type");
  if (!type.is_null() && type != "BPE")
    return unsupported(type.is_string() ? "model type " + type.get<std::string>().substr(0, 80) : "model type is no text");
  if (!member(model, "vocab").is_object())
    return type.is_null() ? unsupported("the model has neither a type nor a BPE vocabulary") : broken("the model has no vocabulary");
  if (!member(model, "merges").is_array()) return broken("the model has no list of merges");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const json& text = member(model, key); !text.is_null() && text != "") return unsupported(std::string("it uses ") + key);
  if (const json& dropout = member(model, "dropout"); !dropout.is_null() && dropout != 0.0) return unsupported("it uses dropout");
  return {};
}

Result<void> read_vocabulary(const json& vocab, TokenTable& table) {
  const auto limit = std::min<int64_t>(TokenTable::max_tokens, 4 * static_cast<int64_t>(vocab.size()) + 100'000);
  for (const auto& [text, id] : vocab.items()) {
    if (!id.is_number_integer() || id < 0 || id >= limit)
      return broken("token \"" + text.substr(0, 80) + "\" has the id " +
                    id.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 80));
    if (!table.place(id.get<int64_t>(), text, TokenKind::normal))
      return broken("id " + std::to_string(id.get<int64_t>()) + " belongs to two tokens, one of them \"" + text.substr(0, 80) + "\"");
  }
  return {};
}

Result<BpeModel::Merges> read_merges(const json& merges) {
  BpeModel::Merges out;
  out.reserve(merges.size());
  for (const json& merge : merges) {
    const std::string place = "merge " + std::to_string(out.size());
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      const size_t space = text.find(' ');
      if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) return broken(place + " is not two texts");
      out.emplace_back(text.substr(0, space), text.substr(space + 1));
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      out.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
    } else {
      return broken(place + " is not two texts");
    }
  }
  return out;
}

Result<std::vector<AddedToken>> read_added_tokens(const json& list, const TokenTable& table) {
  std::vector<AddedToken> tokens;
  if (list.is_null()) return tokens;
  if (!list.is_array()) return broken("added_tokens is no list");
  const int64_t limit = std::min<int64_t>(TokenTable::max_tokens, int64_t{table.size()} + static_cast<int64_t>(list.size()) * 4 + 100'000);
  for (const json& entry : list) {
    if (!entry.is_object() || !member(entry, "content").is_string() || !member(entry, "id").is_number_integer())
      return broken("an added token has no content or no id");
    const json& id = entry["id"];
    if (id < 0 || id >= limit) return broken("an added token has the id " + id.dump().substr(0, 80));
    tokens.push_back({.id = id.get<int32_t>(),
                      .content = entry["content"].get<std::string>(),
                      .special = is_true(entry, "special"),
                      .lstrip = is_true(entry, "lstrip"),
                      .rstrip = is_true(entry, "rstrip"),
                      .single_word = is_true(entry, "single_word"),
                      .normalized = is_true(entry, "normalized")});
  }
  return tokens;
}

bool is_llama_class(const std::string& name) { return name == "LlamaTokenizer" || name == "LlamaTokenizerFast"; }

// The class LlamaTokenizer builds its own pipeline around the file's vocabulary unless the configuration says "legacy".
bool replaces_pipeline(const TokenizerConfig& config, const json& model) {
  return is_llama_class(config.tokenizer_class) && !config.legacy.value_or(false) && is_true(model, "byte_fallback");
}

void use_llama_pipeline(const TokenizerConfig& config, Pipeline& pipeline) {
  const bool prefix = config.add_prefix_space.value_or(true);
  const std::string mark = "\xE2\x96\x81";
  pipeline.splits = {steps::metaspace(mark, prefix ? steps::PrependScheme::first : steps::PrependScheme::never, false)};
  pipeline.decode = {.byte_fallback = true, .replacements = {{mark, " "}}, .strip_left = prefix ? size_t{1} : size_t{0}};
}

Result<void> use_file_pipeline(const json& file, const TokenizerConfig& config, Pipeline& pipeline) {
  LAVA_CHECK_OK(read_normalizer(member(file, "normalizer"), pipeline.normalizers));
  json pre_tokenizer = member(file, "pre_tokenizer");
  if (config.add_prefix_space && pre_tokenizer.is_object() && pre_tokenizer.value("type", json()) == "ByteLevel")
    pre_tokenizer["add_prefix_space"] = *config.add_prefix_space;
  LAVA_CHECK_OK(read_pre_tokenizer(pre_tokenizer, pipeline.splits));
  LAVA_CHECK_OK(read_decoder(member(file, "decoder"), pipeline.decode));
  if (member(file, "decoder").is_null())
    pipeline.decode.byte_level = has_step(pre_tokenizer, "ByteLevel") || has_step(member(file, "normalizer"), "ByteLevel");
  return {};
}

Result<void> use_model(const json& model, Pipeline& pipeline) {
  BpeOptions options{.byte_fallback = is_true(model, "byte_fallback"),
                     .ignore_merges = is_true(model, "ignore_merges"),
                     .fuse_unknown = is_true(model, "fuse_unk")};
  if (const json& unknown = member(model, "unk_token"); unknown.is_string()) {
    const auto id = pipeline.table.id_of(unknown.get_ref<const std::string&>());
    if (!id) return broken("the unknown token is not in the vocabulary");
    options.unknown = pipeline.table.special.unknown = *id;
    if (pipeline.table.kind(*id) == TokenKind::control) pipeline.table.set_kind(*id, TokenKind::unknown);
  }
  LAVA_TRY(const BpeModel::Merges merges, read_merges(member(model, "merges")));
  LAVA_TRY(BpeModel built, BpeModel::build(pipeline.table, merges, options));
  const auto shared = std::make_shared<const BpeModel>(std::move(built));
  pipeline.model = [shared](std::string_view word, std::vector<int32_t>& out) { shared->encode(word, out); };
  if (options.byte_fallback) pipeline.kind = "SPM";
  return {};
}

// BOS and EOS around a text: what the post processor says. The configuration's own words count where there is none, and for the
// class LlamaTokenizer, which writes its post processor from them.
Result<void> use_special_tokens(const json& file, const TokenizerConfig& config, TokenTable& table) {
  PostProcessing around;
  LAVA_CHECK_OK(read_post_processor(member(file, "post_processor"), around));
  if (around.first_token) table.special.bos = table.id_of(*around.first_token).value_or(no_token);
  if (around.last_token) table.special.eos = table.id_of(*around.last_token).value_or(no_token);
  table.special.add_bos = around.first_token.has_value() || replaces_pipeline(config, member(file, "model"));
  table.special.add_eos = around.last_token.has_value();
  TokenizerConfig words = config;
  if (!member(file, "post_processor").is_null() && !is_llama_class(config.tokenizer_class))
    words.add_bos_token = words.add_eos_token = std::nullopt;
  apply_special_tokens(words, table);
  return {};
}

// Tokens that the configuration calls special need the right to be cut, whatever tokenizer.json says.
void mark_special(const TokenizerConfig& config, Pipeline& pipeline) {
  std::vector<std::string> names = config.special_tokens;
  for (const auto& name : {config.bos_token, config.eos_token, config.pad_token, config.unk_token})
    if (name) names.push_back(*name);
  for (const std::string& name : names) {
    const auto id = pipeline.table.id_of(name);
    if (!id) continue;
    pipeline.table.set_kind(*id, TokenKind::control);
    const auto known = std::find_if(pipeline.added.begin(), pipeline.added.end(), [&](const AddedToken& token) { return token.id == *id; });
    if (known != pipeline.added.end()) {
      known->special = true;
    } else {
      pipeline.added.push_back({.id = *id, .content = name, .special = true});
    }
  }
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> from_tokenizer_json(std::string_view json_text, std::string_view tokenizer_config_json) try {
  LAVA_TRY(const json file, io::parse_json(json_text, "The tokenizer file"));
  if (!file.is_object()) return broken("tokenizer.json is not a JSON object");
  const json& model = member(file, "model");
  LAVA_CHECK_OK(check_model(model));
  LAVA_TRY(const TokenizerConfig config, read_tokenizer_config(tokenizer_config_json));

  Pipeline pipeline;
  LAVA_CHECK_OK(read_vocabulary(member(model, "vocab"), pipeline.table));
  LAVA_TRY(std::vector<AddedToken> added, read_added_tokens(member(file, "added_tokens"), pipeline.table));
  added.insert(added.end(), config.added.begin(), config.added.end());
  LAVA_CHECK_OK(merge_added_tokens(added, pipeline.table, pipeline.added));
  if (pipeline.table.size() == 0) return broken("the vocabulary is empty");
  pipeline.table.index();
  mark_special(config, pipeline);

  if (replaces_pipeline(config, model)) {
    use_llama_pipeline(config, pipeline);
  } else {
    LAVA_CHECK_OK(use_file_pipeline(file, config, pipeline));
  }
  LAVA_CHECK_OK(use_special_tokens(file, config, pipeline.table));
  LAVA_CHECK_OK(use_model(model, pipeline));
  pipeline.table.set_end_of_generation({pipeline.table.special.eos});
  return make_tokenizer(std::move(pipeline));
} catch (const std::exception& problem) {
  return broken(problem.what());
}

}  // namespace lava::text
