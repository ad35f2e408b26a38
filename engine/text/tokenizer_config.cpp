#include "engine/text/tokenizer_config.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "engine/io/json_file.h"

namespace lava::text {

namespace {

using nlohmann::json;

std::optional<bool> flag(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

// "<s>", or {"content": "<s>", ...}.
std::optional<std::string> token_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string()) return value["content"].get<std::string>();
  return std::nullopt;
}

std::optional<std::string> token_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::nullopt : token_text(*found);
}

std::string template_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("chat_template")) return template_of(value["chat_template"]);
  if (!value.is_array()) return {};
  for (const json& entry : value)
    if (entry.is_object() && entry.value("name", json()) == "default" && entry.contains("template") && entry["template"].is_string())
      return entry["template"].get<std::string>();
  return {};
}

Result<std::vector<AddedToken>> added_tokens_decoder(const json& object) {
  std::vector<AddedToken> tokens;
  for (const auto& [key, value] : object.items()) {
    int64_t id = -1;
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
    const auto content = token_text(value);
    if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || id < 0 || id >= TokenTable::max_tokens || !content)
      return fail(Error::Kind::invalid, "The tokenizer configuration is broken",
                  "added_tokens_decoder has the entry \"" + key.substr(0, 80) + "\"");
    AddedToken token{.id = static_cast<int32_t>(id), .content = *content};
    if (value.is_object()) {
      token.special = flag(value, "special").value_or(false);
      token.lstrip = flag(value, "lstrip").value_or(false);
      token.rstrip = flag(value, "rstrip").value_or(false);
      token.single_word = flag(value, "single_word").value_or(false);
      token.normalized = flag(value, "normalized").value_or(!token.special);
    }
    tokens.push_back(std::move(token));
  }
  std::sort(tokens.begin(), tokens.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return tokens;
}

void collect_texts(const json& value, std::vector<std::string>& out) {
  if (auto text = token_text(value)) {
    out.push_back(*text);
  } else if (value.is_array() || value.is_object()) {
    for (const json& entry : value)
      if (auto text = token_text(entry)) out.push_back(*text);
  }
}

}  // namespace

Result<TokenizerConfig> read_tokenizer_config(std::string_view json_text) {
  TokenizerConfig config;
  if (json_text.empty()) return config;
  LAVA_TRY(const json object, io::parse_json(json_text, "The tokenizer configuration"));
  if (!object.is_object())
    return fail(Error::Kind::invalid, "The tokenizer configuration cannot be read", "tokenizer_config.json is not a JSON object",
                "Download the file again");
  if (const auto name = object.find("tokenizer_class"); name != object.end() && name->is_string())
    config.tokenizer_class = name->get<std::string>();
  config.legacy = flag(object, "legacy");
  config.add_bos_token = flag(object, "add_bos_token");
  config.add_eos_token = flag(object, "add_eos_token");
  config.add_prefix_space = flag(object, "add_prefix_space");
  config.bos_token = token_of(object, "bos_token");
  config.eos_token = token_of(object, "eos_token");
  config.pad_token = token_of(object, "pad_token");
  config.unk_token = token_of(object, "unk_token");
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"})
    if (object.contains(key)) collect_texts(object[key], config.special_tokens);
  if (const auto list = object.find("added_tokens_decoder"); list != object.end() && list->is_object()) {
    LAVA_TRY(config.added, added_tokens_decoder(*list));
  }
  if (object.contains("chat_template")) config.chat_template = template_of(object["chat_template"]);
  return config;
}

std::string chat_template_of(std::string_view chat_template_json) {
  const auto parsed = io::parse_json(chat_template_json, "The chat template");
  return parsed ? template_of(*parsed) : std::string();
}

Result<void> merge_added_tokens(const std::vector<AddedToken>& tokens, TokenTable& table, std::vector<AddedToken>& added) {
  for (const AddedToken& token : tokens) {
    if (token.content.size() > max_added_token_bytes)
      return fail(Error::Kind::invalid, "A special token of the tokenizer is too long",
                  "id " + std::to_string(token.id) + " has " + std::to_string(token.content.size()) + " bytes");
    const auto same = std::find_if(added.begin(), added.end(), [&](const AddedToken& known) { return known.content == token.content; });
    if (same != added.end() && same->id == token.id) {
      *same = token;
    } else if (same == added.end()) {
      added.push_back(token);
    } else {
      return fail(
          Error::Kind::invalid, "The tokenizer files contradict each other",
          "token \"" + token.content.substr(0, 80) + "\" has the ids " + std::to_string(same->id) + " and " + std::to_string(token.id));
    }
    if (!table.place(token.id, token.content, token.special ? TokenKind::control : TokenKind::user_defined))
      return fail(Error::Kind::invalid, "Two tokens of the tokenizer share an id",
                  "id " + std::to_string(token.id) + " for \"" + token.content.substr(0, 80) + "\" and \"" +
                      std::string(table.text(token.id)).substr(0, 80) + "\"");
  }
  return {};
}

void apply_special_tokens(const TokenizerConfig& config, TokenTable& table) {
  const auto find = [&](const std::optional<std::string>& text) { return text ? table.id_of(*text).value_or(no_token) : no_token; };
  SpecialIds& special = table.special;
  const auto set = [](int32_t& place, int32_t id) {
    if (id != no_token) place = id;
  };
  set(special.bos, find(config.bos_token));
  set(special.eos, find(config.eos_token));
  set(special.pad, find(config.pad_token));
  set(special.unknown, find(config.unk_token));
  if (config.add_bos_token) special.add_bos = *config.add_bos_token;
  if (config.add_eos_token) special.add_eos = *config.add_eos_token;
  special.add_bos = special.add_bos && special.bos != no_token;
  special.add_eos = special.add_eos && special.eos != no_token;
  table.chat_template = config.chat_template;
}

}  // namespace lava::text
