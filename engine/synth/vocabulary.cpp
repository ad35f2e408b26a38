#include "engine/synth/vocabulary.h"

#include <array>

#include "engine/text/byte_level.h"
#include "kernels/check.h"

namespace lava::synth {
namespace {

enum TokenType : int32_t { normal = 1, unknown = 2, control = 3, byte = 6 };

struct Tokens {
  std::vector<std::string> texts;
  std::vector<int32_t> types;

  int size() const { return static_cast<int>(texts.size()); }
  void add(std::string text, TokenType type = normal) { texts.push_back(std::move(text)), types.push_back(type); }
};

// Calls f(word) for a, b, ... z, aa, ab, ... until it says no.
template <class F>
void for_words(const F& f) {
  for (size_t length = 1;; ++length) {
    std::string word(length, 'a');
    while (true) {
      if (!f(word)) return;
      size_t i = length;
      while (i > 0 && word[i - 1] == 'z') word[--i] = 'a';
      if (i == 0) break;
      ++word[i - 1];
    }
  }
}

void add_sentence_piece(io::GgufHeader& header, int size) {
  const std::string space = "\xE2\x96\x81";
  Tokens tokens;
  tokens.add("<unk>", unknown), tokens.add("<s>", control), tokens.add("</s>", control);
  for (int i = 0; i < 256; ++i) tokens.add(text::fallback_token_of_byte(static_cast<uint8_t>(i)), byte);
  const int first = tokens.size();
  tokens.add(space);
  for (char c = '!'; c <= '~'; ++c) tokens.add(std::string(1, c));
  for_words([&](const std::string& word) {
    if (tokens.size() < size) tokens.add(space + word);
    if (tokens.size() < size && word.size() > 1) tokens.add(word);  // single letters are there already
    return tokens.size() < size;
  });
  std::vector<float> scores(tokens.texts.size());
  for (size_t i = static_cast<size_t>(first); i < scores.size(); ++i) scores[i] = static_cast<float>(first) - static_cast<float>(i);
  header.set("tokenizer.ggml.model", "llama");
  header.set("tokenizer.ggml.pre", "default");
  header.set("tokenizer.ggml.tokens", tokens.texts);
  header.set("tokenizer.ggml.scores", scores);
  header.set("tokenizer.ggml.token_type", tokens.types);
  header.set("tokenizer.ggml.unknown_token_id", uint32_t{0});
  header.set("tokenizer.ggml.bos_token_id", uint32_t{1});
  header.set("tokenizer.ggml.eos_token_id", uint32_t{2});
  header.set("tokenizer.ggml.add_bos_token", true);
  header.set("tokenizer.ggml.add_space_prefix", true);
}

// ChatML, as SmolLM2 and Qwen2 write conversations.
constexpr std::string_view chat_template =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

void add_byte_pairs(io::GgufHeader& header, int size, std::string_view split) {
  Tokens tokens;
  for (const char* special : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) tokens.add(special, control);
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    tokens.add(text::to_byte_characters({&c, 1}));
  }
  const std::string space = text::to_byte_characters(" ");
  std::vector<std::string> merges;  // every further token is one: a word and its next letter
  const auto merge = [&](const std::string& left, const std::string& right) {
    if (tokens.size() >= size || left.empty()) return;
    merges.push_back(left + ' ' + right);
    tokens.add(left + right);
  };
  for_words([&](const std::string& word) {
    const std::string left = word.substr(0, word.size() - 1), right = word.substr(word.size() - 1);
    merge(space + left, right), merge(left, right);
    return tokens.size() < size;
  });
  header.set("tokenizer.ggml.model", "gpt2");
  header.set("tokenizer.ggml.pre", split);
  header.set("tokenizer.ggml.tokens", tokens.texts);
  header.set("tokenizer.ggml.token_type", tokens.types);
  header.set("tokenizer.ggml.merges", merges);
  header.set("tokenizer.ggml.bos_token_id", uint32_t{1});
  header.set("tokenizer.ggml.eos_token_id", uint32_t{2});
  header.set("tokenizer.ggml.unknown_token_id", uint32_t{0});
  header.set("tokenizer.ggml.padding_token_id", uint32_t{0});
  header.set("tokenizer.ggml.add_bos_token", false);
  header.set("tokenizer.ggml.add_space_prefix", false);
  header.set("tokenizer.chat_template", chat_template);
}

}  // namespace

void add_vocabulary(io::GgufHeader& header, Vocabulary kind, int size, std::string_view split) {
  LAVA_CHECK(size >= least_vocabulary);
  kind == Vocabulary::sentence_piece ? add_sentence_piece(header, size) : add_byte_pairs(header, size, split);
}

}  // namespace lava::synth
