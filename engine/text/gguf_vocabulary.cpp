#include "engine/text/gguf_vocabulary.h"

namespace lava::text {

namespace {

tl::unexpected<Error> wrong(std::string_view key) {
  return fail(Error::Kind::invalid, "The model file's vocabulary is broken", std::string(key) + " has the wrong type or is too long",
              "Download the file again");
}

Result<void> read_texts(const io::Gguf& gguf, std::string_view key, std::vector<std::string>& out) {
  if (!gguf.has(key)) return {};
  const auto list = gguf.string_array(key);
  if (!list) return wrong(key);
  out.assign(list->begin(), list->end());
  return {};
}

Result<void> read_scores(const io::Gguf& gguf, GgufVocabulary& out) {
  constexpr std::string_view key = "tokenizer.ggml.scores";
  if (!gguf.has(key)) return {};
  auto list = gguf.float_array(key);
  if (!list) return wrong(key);
  out.scores = std::move(*list);
  return {};
}

Result<void> read_types(const io::Gguf& gguf, GgufVocabulary& out) {
  constexpr std::string_view key = "tokenizer.ggml.token_type";
  if (!gguf.has(key)) return {};
  const auto list = gguf.int_array(key);
  if (!list) return wrong(key);
  out.token_types.reserve(list->size());
  for (const int64_t type : *list) {
    if (type < 1 || type > 6) return wrong(key);
    out.token_types.push_back(static_cast<int32_t>(type));
  }
  return {};
}

}  // namespace

Result<GgufVocabulary> vocabulary_of(const io::Gguf& gguf) {
  GgufVocabulary out;
  const auto text = [&](std::string_view key) { return std::string(gguf.string(key).value_or(std::string_view())); };
  out.model = text("tokenizer.ggml.model");
  out.pre = text("tokenizer.ggml.pre");
  out.chat_template = text("tokenizer.chat_template");
  out.general_name = text("general.name");
  LAVA_CHECK_OK(read_texts(gguf, "tokenizer.ggml.tokens", out.tokens));
  LAVA_CHECK_OK(read_texts(gguf, "tokenizer.ggml.merges", out.merges));
  LAVA_CHECK_OK(read_scores(gguf, out));
  LAVA_CHECK_OK(read_types(gguf, out));
  out.bos_id = gguf.integer("tokenizer.ggml.bos_token_id");
  out.eos_id = gguf.integer("tokenizer.ggml.eos_token_id");
  out.unknown_id = gguf.integer("tokenizer.ggml.unknown_token_id");
  out.padding_id = gguf.integer("tokenizer.ggml.padding_token_id");
  out.eot_id = gguf.integer("tokenizer.ggml.eot_token_id");
  out.eom_id = gguf.integer("tokenizer.ggml.eom_token_id");
  out.add_bos = gguf.boolean("tokenizer.ggml.add_bos_token");
  out.add_eos = gguf.boolean("tokenizer.ggml.add_eos_token");
  out.add_space_prefix = gguf.boolean("tokenizer.ggml.add_space_prefix");
  return out;
}

}  // namespace lava::text
