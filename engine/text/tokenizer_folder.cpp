#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/io/json_file.h"
#include "engine/text/gguf_vocabulary.h"
#include "engine/text/split_rules.h"
#include "engine/text/tokenizer.h"
#include "engine/text/tokenizer_config.h"

namespace lava::text {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
constexpr std::uintmax_t max_file = 256u << 20;

Result<std::string> read_file(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return fail(Error::Kind::not_found, "The tokenizer file cannot be opened", path.string() + ": " + error.message());
  if (size > max_file)
    return fail(Error::Kind::too_large, "The tokenizer file is too large", path.string() + " has " + std::to_string(size) + " bytes");
  std::string text(size, '\0');
  std::ifstream stream(path, std::ios::binary);
  if (!stream.read(text.data(), static_cast<std::streamsize>(size)))
    return fail(Error::Kind::io, "The tokenizer file cannot be read", path.string());
  return text;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// Empty when there is no such file.
Result<std::string> read_if_there(const fs::path& path) { return is_file(path) ? read_file(path) : Result<std::string>(std::string()); }

// Newer folders keep the chat template in a file of its own. Returns the configuration with it put in.
Result<std::string> read_config(const fs::path& folder) {
  LAVA_TRY(std::string text, read_if_there(folder / "tokenizer_config.json"));
  std::string chat_template;
  if (is_file(folder / "chat_template.jinja")) {
    LAVA_TRY(chat_template, read_file(folder / "chat_template.jinja"));
  } else if (is_file(folder / "chat_template.json")) {
    LAVA_TRY(const std::string list, read_file(folder / "chat_template.json"));
    chat_template = chat_template_of(list);
  }
  if (chat_template.empty()) return text;
  json config = json::object();
  if (!text.empty()) {
    LAVA_TRY(config, io::parse_json(text, "The tokenizer configuration"));
  }
  if (!config.is_object()) return text;  // refused later, with a reason
  config["chat_template"] = chat_template;
  return config.dump(-1, ' ', false, json::error_handler_t::replace);
}

// vocab.json and merges.txt of the time before tokenizer.json, written in its form.
Result<std::string> join_gpt2_files(const fs::path& folder, const std::string& config_text) {
  LAVA_TRY(const TokenizerConfig config, read_tokenizer_config(config_text));
  const std::string& name = config.tokenizer_class;
  const bool qwen = name == "Qwen2Tokenizer" || name == "Qwen2TokenizerFast";
  const bool gpt2 = name.empty() || name == "GPT2Tokenizer" || name == "GPT2TokenizerFast";
  if (!qwen && !gpt2)
    return fail(Error::Kind::unsupported, "The tokenizer has no tokenizer.json, and its class is not known",
                "tokenizer_class " + name.substr(0, 80), "Add the model's tokenizer.json to the folder");
  LAVA_TRY(const std::string vocab_text, read_file(folder / "vocab.json"));
  LAVA_TRY(const json vocab, io::parse_json(vocab_text, "vocab.json"));
  LAVA_TRY(const std::string merges, read_file(folder / "merges.txt"));
  json list = json::array();
  for (size_t at = 0; at < merges.size();) {
    const size_t end = std::min(merges.find('\n', at), merges.size());
    std::string line = merges.substr(at, end - at);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const bool version = at == 0 && line.starts_with("#version");
    if (!line.empty() && !version) list.push_back(line);
    at = end + 1;
  }
  const std::string pattern(split_rule(qwen ? "qwen2" : "gpt-2")->patterns.front());
  json split = {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", config.add_prefix_space.value_or(false) && gpt2}, {"use_regex", gpt2}};
  json file = {{"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", list}}}, {"decoder", {{"type", "ByteLevel"}}}};
  if (qwen) file["normalizer"] = {{"type", "NFC"}};
  file["pre_tokenizer"] = qwen ? json{{"type", "Sequence"}, {"pretokenizers", {split, bytes}}} : bytes;
  return file.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::unique_ptr<Tokenizer>> from_files(const fs::path& folder) {
  LAVA_TRY(const std::string config, read_config(folder));
  if (is_file(folder / "tokenizer.json")) {
    LAVA_TRY(const std::string text, read_file(folder / "tokenizer.json"));
    return from_tokenizer_json(text, config);
  }
  for (const char* name : {"tokenizer.model", "spiece.model"}) {
    if (!is_file(folder / name)) continue;
    LAVA_TRY(const std::string protobuf, read_file(folder / name));
    LAVA_TRY(const std::string added, read_if_there(folder / "added_tokens.json"));
    return from_sentencepiece(protobuf, config, added);
  }
  if (is_file(folder / "vocab.json") && is_file(folder / "merges.txt")) {
    LAVA_TRY(const std::string text, join_gpt2_files(folder, config));
    return from_tokenizer_json(text, config);
  }
  return fail(Error::Kind::not_found, "The model folder has no tokenizer",
              "neither tokenizer.json nor tokenizer.model is in " + folder.string(), "Download the tokenizer files of the model too");
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> from_folder(const fs::path& path) try {
  std::error_code error;
  if (fs::is_directory(path, error)) return from_files(path);
  LAVA_TRY(const std::string text, read_file(path));
  return path.extension() == ".json" ? from_tokenizer_json(text) : from_sentencepiece(text);
} catch (const std::exception& problem) {
  return fail(Error::Kind::io, "The tokenizer cannot be read", path.string() + ": " + problem.what());
}

Result<std::unique_ptr<Tokenizer>> load_tokenizer(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error) || path.extension() != ".gguf") return from_folder(path);
  LAVA_TRY(const auto gguf, io::Gguf::open(path));
  LAVA_TRY(const GgufVocabulary vocabulary, vocabulary_of(*gguf));
  return from_gguf(vocabulary);
}

}  // namespace lava::text
