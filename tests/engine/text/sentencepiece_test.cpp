// tokenizer.model files, written here from the LLaMA vocabulary.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "engine/text/tokenizer.h"
#include "text_fixtures.h"

namespace lava::text::test {
namespace {

using Ids = std::vector<int32_t>;

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out += static_cast<char>(value);
}
std::string bytes_field(int number, const std::string& bytes) { return varint(number << 3 | 2) + varint(bytes.size()) + bytes; }
std::string int_field(int number, uint64_t value) { return varint(number << 3) + varint(value); }
std::string float_field(int number, float value) {
  std::string out = varint(number << 3 | 5);
  out.resize(out.size() + 4);
  std::memcpy(out.data() + out.size() - 4, &value, 4);
  return out;
}

std::string pieces_of(const GgufVocabulary& v) {
  std::string out;
  for (size_t i = 0; i < v.tokens.size(); ++i)
    out += bytes_field(
        1, bytes_field(1, v.tokens[i]) + float_field(2, v.scores[i]) + (v.token_types[i] == 1 ? "" : int_field(3, v.token_types[i])));
  return out;
}

const std::string bpe_trainer = bytes_field(2, int_field(3, 2)), identity = bytes_field(3, bytes_field(1, "identity") + int_field(4, 0));

const std::string& llama_model() {
  static const std::string model = pieces_of(llama_spm_vocabulary()) + bpe_trainer + identity;
  return model;
}

TEST(SentencePiece, SameIdsAsTheGguf) {
  const auto tokenizer = take(from_sentencepiece(llama_model()));
  const auto cases = read_json_fixture("tokenizers/tokenizer-cases.json.gz");
  for (size_t i = 0; i < cases["texts"].size(); ++i)
    EXPECT_EQ(ids_of(*tokenizer, cases["texts"][i].get<std::string>()), cases["families"]["llama_spm"]["plain"][i].get<Ids>())
        << cases["texts"][i];
  EXPECT_EQ(tokenizer->special().bos, 1);
  EXPECT_EQ(tokenizer->special().eos, 2);
  EXPECT_TRUE(tokenizer->special().add_bos);
  EXPECT_EQ(ids_of(*tokenizer, "Hi</s>Hi", {.parse_special = true}), (Ids{6324, 2, 6324}));
}

TEST(SentencePiece, AddedTokensAndClass) {
  const auto tokenizer = take(from_sentencepiece(llama_model(), R"({"tokenizer_class": "LlamaTokenizer", "legacy": false})",
                                                 R"({"<image>": 32000, "<pad>": 32001})"));
  EXPECT_EQ(tokenizer->size(), 32002);
  EXPECT_EQ(ids_of(*tokenizer, "Hi<image>Hi", {.parse_special = true}), (Ids{6324, 32000, 18567}));
  EXPECT_FALSE(from_sentencepiece(llama_model(), {}, R"({"<image>": 5})"));
  EXPECT_FALSE(from_sentencepiece(llama_model(), {}, R"({"<image>": -1})"));
  EXPECT_FALSE(from_sentencepiece(llama_model(), {}, "[]"));
}

TEST(SentencePiece, RefusesOtherKinds) {
  const std::string pieces = bytes_field(1, bytes_field(1, "a"));
  const auto message = [](const std::string& model) {
    const auto tokenizer = from_sentencepiece(model);
    return tokenizer ? std::string() : tokenizer.error().message();
  };
  EXPECT_NE(message(pieces + identity).find("unigram"), std::string::npos);
  EXPECT_NE(message(pieces + bpe_trainer + bytes_field(3, bytes_field(1, "nmt_nfkc") + bytes_field(2, "xx"))).find("nmt_nfkc"),
            std::string::npos);
  EXPECT_NE(message(""), "");
  EXPECT_EQ(message(pieces + bpe_trainer), "");
}

TEST(SentencePiece, RemovesSpacesWhenAsked) {
  const std::string clean = bytes_field(3, bytes_field(1, "identity") + int_field(4, 1));
  const auto tokenizer = take(from_sentencepiece(pieces_of(llama_spm_vocabulary()) + bpe_trainer + clean));
  EXPECT_EQ(ids_of(*tokenizer, "  Hello   world  "), (Ids{15043, 3186}));
  EXPECT_EQ(ids_of(*tokenizer, "   "), Ids{});
}

TEST(SentencePiece, CutAndDamagedFiles) {
  const std::string& model = llama_model();
  std::mt19937 random(11);
  for (int i = 0; i < 200; ++i) {
    std::string damaged = model.substr(0, 20'000 - random() % 10'000);
    for (int k = 0; k < 5; ++k) damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto tokenizer = from_sentencepiece(damaged + bpe_trainer);
    if (tokenizer) {
      EXPECT_TRUE((*tokenizer)->encode("Hello world</s>", {.parse_special = true}));
    } else {
      EXPECT_FALSE(tokenizer.error().what.empty());
    }
  }
}

// Pieces marked unused help longer ones to form and are taken apart again.
TEST(SentencePiece, UnusedPiecesAreTakenApart) {
  GgufVocabulary v;
  v.model = "llama";
  v.tokens = {"<unk>", "<s>", "</s>", "a", "b", "c", "ab", "abc"};
  v.scores = {0, 0, 0, -9, -9, -9, -1, -2};
  v.token_types = {2, 3, 3, 1, 1, 1, 5, 1};
  v.add_space_prefix = false;
  const auto tokenizer = take(from_gguf(v));
  EXPECT_EQ(ids_of(*tokenizer, "abc"), (Ids{7}));
  EXPECT_EQ(ids_of(*tokenizer, "abab"), (Ids{3, 4, 3, 4}));
}

TEST(SentencePiece, TiesGoLeft) {
  GgufVocabulary v;
  v.model = "llama";
  v.tokens = {"<unk>", "<s>", "</s>", "a", "aa"};
  v.scores = {0, 0, 0, -2, -1};
  v.token_types = {2, 3, 3, 1, 1};
  v.add_space_prefix = false;
  EXPECT_EQ(ids_of(*take(from_gguf(v)), "aaaaa"), (Ids{4, 4, 3}));
}

}  // namespace
}  // namespace lava::text::test
