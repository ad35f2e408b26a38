#include "text_fixtures.h"

#include <fstream>
#include <stdexcept>

#include "engine/text/gguf_vocabulary.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace lava::text::test {

namespace {

// A gzip file with at most a name: header of 10 bytes, deflate data, 8 bytes of checks (stb wants to see bytes behind the data).
std::string gunzip(const std::string& packed) {
  if (packed.size() < 18 || packed.substr(0, 3) != "\x1f\x8b\x08") throw std::runtime_error("not a gzip file");
  size_t at = 10;
  if (packed[3] & 8) at = packed.find('\0', at) + 1;  // the name
  int size = 0;
  char* bytes = stbi_zlib_decode_noheader_malloc(packed.data() + at, static_cast<int>(packed.size() - at), &size);
  if (bytes == nullptr) throw std::runtime_error("the gzip file is broken");
  std::string out(bytes, static_cast<size_t>(size));
  STBI_FREE(bytes);
  return out;
}

GgufVocabulary read_smollm2() {
  const auto file = read_json_fixture("tokenizers/smollm2-vocab.json.gz");
  GgufVocabulary v;
  v.model = "gpt2";
  v.pre = "smollm";
  v.tokens = file["tokens"].get<std::vector<std::string>>();
  v.token_types.assign(v.tokens.size(), 1);
  std::fill_n(v.token_types.begin(), file["control_tokens"].get<size_t>(), 3);
  v.merges = file["merges"].get<std::vector<std::string>>();
  v.bos_id = 1;
  v.eos_id = 2;
  v.unknown_id = 0;
  v.padding_id = 2;
  v.add_bos = false;
  v.chat_template = file["chat_template"].get<std::string>();
  return v;
}

GgufVocabulary read_llama_spm() {
  const auto gguf = io::Gguf::open(fixture_path("tokenizers/llama-spm-vocab.gguf"));
  if (!gguf) throw std::runtime_error(gguf.error().message());
  auto vocabulary = vocabulary_of(**gguf);
  if (!vocabulary) throw std::runtime_error(vocabulary.error().message());
  return std::move(*vocabulary);
}

std::unique_ptr<Tokenizer> from_json_fixtures(const std::string& name) {
  return take(from_tokenizer_json(read_fixture("tokenizers/" + name + "-tokenizer.json.gz"),
                                  read_fixture("tokenizers/" + name + "-tokenizer_config.json.gz")));
}

}  // namespace

std::string fixture_path(std::string_view name) { return std::string(LAVA_SOURCE_DIR) + "/tests/fixtures/" + std::string(name); }

std::string read_fixture(std::string_view name) {
  std::ifstream stream(fixture_path(name), std::ios::binary);
  if (!stream) throw std::runtime_error("no fixture " + std::string(name));
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  return name.ends_with(".gz") ? gunzip(text) : text;
}

nlohmann::json read_json_fixture(std::string_view name) { return nlohmann::json::parse(read_fixture(name)); }

std::unique_ptr<Tokenizer> take(Result<std::unique_ptr<Tokenizer>> tokenizer) {
  if (!tokenizer) throw std::runtime_error(tokenizer.error().message());
  return std::move(*tokenizer);
}

const Tokenizer& qwen2_5() {
  static const auto tokenizer = from_json_fixtures("qwen2_5");
  return *tokenizer;
}

const Tokenizer& llama3() {
  static const auto tokenizer = from_json_fixtures("llama3");
  return *tokenizer;
}

const GgufVocabulary& llama_spm_vocabulary() {
  static const GgufVocabulary vocabulary = read_llama_spm();
  return vocabulary;
}

const GgufVocabulary& smollm2_vocabulary() {
  static const GgufVocabulary vocabulary = read_smollm2();
  return vocabulary;
}

const Tokenizer& llama_spm() {
  static const auto tokenizer = take(from_gguf(llama_spm_vocabulary()));
  return *tokenizer;
}

const Tokenizer& smollm2() {
  static const auto tokenizer = take(from_gguf(smollm2_vocabulary()));
  return *tokenizer;
}

std::vector<int32_t> ids_of(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options) {
  auto ids = tokenizer.encode(text, options);
  if (!ids) throw std::runtime_error(ids.error().message());
  return std::move(*ids);
}

}  // namespace lava::text::test
