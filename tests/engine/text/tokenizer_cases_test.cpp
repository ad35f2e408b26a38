// A few hundred difficult texts against Hugging Face tokenizers, transformers and SentencePiece (tests/goldens/make_tokenizer_cases.py).
#include <gtest/gtest.h>

#include "engine/text/tokenizer.h"
#include "text_fixtures.h"

namespace lava::text::test {
namespace {

using nlohmann::json;
using Ids = std::vector<int32_t>;

const json& cases() {
  static const json file = read_json_fixture("tokenizers/tokenizer-cases.json.gz");
  return file;
}

std::string from_hex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

// Every text of `file`, with and without the right to control tokens, and back.
void check(const Tokenizer& tokenizer, const json& texts, const json& family) {
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto text = texts[i].get<std::string>();
    const std::string key = std::to_string(i);
    const Ids plain = family["plain"][i].get<Ids>();
    EXPECT_EQ(ids_of(tokenizer, text), plain) << i << ": " << texts[i];
    if (family.contains("special")) {
      const Ids special = family["special"].contains(key) ? family["special"][key].get<Ids>() : plain;
      EXPECT_EQ(ids_of(tokenizer, text, {.parse_special = true}), special) << i << ": " << texts[i];
    }
    const std::string decoded = family["decoded"].contains(key) ? family["decoded"][key].get<std::string>() : text;
    EXPECT_EQ(tokenizer.decode(plain), decoded) << i << ": " << texts[i];
  }
  if (!family.contains("broken")) return;
  for (size_t i = 0; i < cases()["broken"].size(); ++i) {
    const auto hex = cases()["broken"][i].get<std::string>();
    EXPECT_EQ(ids_of(tokenizer, from_hex(hex)), family["broken"][i].get<Ids>()) << hex;
  }
}

void check_family(const Tokenizer& tokenizer, const char* name) {
  ASSERT_GE(cases()["texts"].size(), 300u);
  check(tokenizer, cases()["texts"], cases()["families"][name]);
}

TEST(TokenizerCases, Qwen25) { check_family(qwen2_5(), "qwen2_5"); }
TEST(TokenizerCases, Llama3) { check_family(llama3(), "llama3"); }
TEST(TokenizerCases, SmolLm2) { check_family(smollm2(), "smollm2"); }
TEST(TokenizerCases, LlamaSpm) { check_family(llama_spm(), "llama_spm"); }

class TinyModels : public testing::TestWithParam<const char*> {};
TEST_P(TinyModels, TokenizerJson) {
  const auto tokenizer = take(from_folder(fixture_path(std::string("transformers/") + GetParam())));
  check_family(*tokenizer, GetParam());
}
INSTANTIATE_TEST_SUITE_P(Folders, TinyModels, testing::Values("llava15", "llava_next", "llava_onevision", "text_llama_gqa"));

class LlamaClass : public testing::TestWithParam<const char*> {};
TEST_P(LlamaClass, FollowsTheConfiguration) {
  const json& family = cases()["families"][GetParam()];
  const auto tokenizer = take(from_tokenizer_json(read_fixture("transformers/llava15/tokenizer.json"), family["config"].dump()));
  check(*tokenizer, cases()["texts"], family);
  EXPECT_EQ(tokenizer->special().add_bos, family["bos_first"].get<bool>());
}
INSTANTIATE_TEST_SUITE_P(Configurations, LlamaClass, testing::Values("llama_class", "llama_class_no_prefix"));

TEST(TokenizerCases, LegacyLlamaClassKeepsTheFilesPipeline) {
  for (const char* config :
       {R"({"tokenizer_class": "LlamaTokenizer", "legacy": true})", R"({"tokenizer_class": "PreTrainedTokenizerFast"})"}) {
    const auto tokenizer = take(from_tokenizer_json(read_fixture("transformers/llava15/tokenizer.json"), config));
    check_family(*tokenizer, "llava15");
  }
}

TEST(TokenizerCases, EveryStepOfTokenizerJson) {
  const json file = read_json_fixture("tokenizers/pipeline-cases.json.gz");
  ASSERT_GE(file["pipelines"].size(), 15u);
  for (const auto& [name, pipeline] : file["pipelines"].items()) {
    SCOPED_TRACE(name);
    const auto tokenizer = from_tokenizer_json(pipeline["tokenizer"].dump());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message();
    json family = pipeline["cases"];
    // Without a decoder the reference joins the tokens with spaces, which no user wants to see: only ids are compared.
    const bool decodes = !pipeline["tokenizer"]["decoder"].is_null();
    for (size_t i = 0; i < file["texts"].size(); ++i) {
      const auto text = file["texts"][i].get<std::string>();
      const std::string key = std::to_string(i);
      const Ids plain = family["plain"][i].get<Ids>();
      const Ids special = family["special"].contains(key) ? family["special"][key].get<Ids>() : plain;
      EXPECT_EQ(ids_of(**tokenizer, text), plain) << i << ": " << file["texts"][i];
      EXPECT_EQ(ids_of(**tokenizer, text, {.parse_special = true}), special) << i << ": " << file["texts"][i];
      if (!decodes) continue;
      const std::string decoded = family["decoded"].contains(key) ? family["decoded"][key].get<std::string>() : text;
      EXPECT_EQ((*tokenizer)->decode(plain), decoded) << i << ": " << file["texts"][i];
    }
  }
}

}  // namespace
}  // namespace lava::text::test
