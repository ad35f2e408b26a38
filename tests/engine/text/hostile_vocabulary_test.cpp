// Broken and hostile files: a clear sentence or the right answer, never a crash.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>

#include "engine/text/regex.h"
#include "engine/text/tokenizer.h"
#include "text_fixtures.h"

namespace lava::text::test {
namespace {

using nlohmann::json;
using Ids = std::vector<int32_t>;

json small_json() {
  json file = json::parse(
      R"({"added_tokens": [{"id": 5, "content": "<end>", "special": true}], "normalizer": null, "pre_tokenizer": null, "decoder": null,
      "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}, "merges": ["a b", ["ab", "c"]]}})");
  return file;
}

std::string message_of(const json& file, std::string_view config = {}) {
  const auto tokenizer = from_tokenizer_json(file.dump(), config);
  return tokenizer ? "" : tokenizer.error().message();
}

#define EXPECT_NAMES(message, part) EXPECT_NE((message).find(part), std::string::npos) << (message)

TEST(HostileVocabulary, SmallJsonWorks) {
  const auto tokenizer = take(from_tokenizer_json(small_json().dump()));
  EXPECT_EQ(ids_of(*tokenizer, "abcab<end>"), (Ids{4, 3}));  // characters without a token vanish when there is no unknown token
  EXPECT_EQ(ids_of(*tokenizer, "abcab<end>", {.parse_special = true}), (Ids{4, 3, 5}));
  EXPECT_EQ(tokenizer->decode(Ids{4, 5, 3}), "abcab");
  EXPECT_EQ(tokenizer->decode(Ids{4, 5, 3}, true), "abc<end>ab");
}

TEST(HostileVocabulary, BrokenJson) {
  for (const char* text :
       {"", "x", "[]", "null", "{}", "{\"model\": 3}", "{\"model\": {}}", "{\"model\": {\"type\": \"BPE\"}}", "\xff\xfe"})
    EXPECT_FALSE(from_tokenizer_json(text)) << text;
  EXPECT_FALSE(from_tokenizer_json(std::string(200'000, '[')));
  std::string deep = "{\"normalizer\":";
  for (int i = 0; i < 50'000; ++i) deep += "{\"type\":\"Sequence\",\"normalizers\":[";
  EXPECT_FALSE(from_tokenizer_json(deep));
  json nested = small_json();
  for (int i = 0; i < 20; ++i) nested["normalizer"] = {{"type", "Sequence"}, {"normalizers", {nested["normalizer"]}}};
  EXPECT_NAMES(message_of(nested), "nested too deeply");
  EXPECT_FALSE(from_tokenizer_json(small_json().dump(), "[]"));
  EXPECT_FALSE(from_tokenizer_json(small_json().dump(), "{\"added_tokens_decoder\": {\"x\": {\"content\": \"y\"}}}"));
}

TEST(HostileVocabulary, Ids) {
  for (const char* id :
       {"-1", "1e3", "\"0\"", "null", "4000000", "99999999999", "18446744073709551615", "9223372036854775813", "1.5", "[]"}) {
    json file = small_json();
    file["model"]["vocab"]["x"] = json::parse(id);
    EXPECT_NAMES(message_of(file), "token \"x\" has the id") << id;
    file = small_json();
    file["added_tokens"][0]["id"] = json::parse(id);
    EXPECT_FALSE(message_of(file).empty()) << id;
  }
  json file = small_json();
  file["model"]["vocab"]["x"] = 3;
  EXPECT_NAMES(message_of(file), "belongs to two tokens");
  file = small_json();
  file["added_tokens"][0]["id"] = 3;
  EXPECT_NAMES(message_of(file), "share an id");
  file = small_json();
  file["added_tokens"][0]["content"] = 7;
  EXPECT_FALSE(message_of(file).empty());
  file = small_json();
  file["added_tokens"].push_back({{"id", 9}, {"content", ""}});
  EXPECT_EQ(message_of(file), "");  // never matches
}

TEST(HostileVocabulary, Merges) {
  for (const char* merge : {"\"ab\"", "\"a b c\"", "3", "[\"a\"]", "[\"a\", 1]", "[\"a\", \"b\", \"c\"]"}) {
    json file = small_json();
    file["model"]["merges"].push_back(json::parse(merge));
    EXPECT_NAMES(message_of(file), "merge 2 is not two texts") << merge;
  }
  json file = small_json();
  file["model"]["merges"].push_back("a c");
  EXPECT_NAMES(message_of(file), "is no token");
  // A control token that merges could produce stays out of reach of plain text.
  file = small_json();
  file["added_tokens"][0] = {{"id", 4}, {"content", "abc"}, {"special", true}};
  const auto tokenizer = take(from_tokenizer_json(file.dump()));
  EXPECT_EQ(ids_of(*tokenizer, "abc"), (Ids{3, 2}));
  EXPECT_EQ(ids_of(*tokenizer, "abc", {.parse_special = true}), (Ids{4}));
}

TEST(HostileVocabulary, UnknownKindsAreNamed) {
  const auto with = [](const char* place, const char* value) {
    json file = small_json();
    file[place] = json::parse(value);
    return message_of(file);
  };
  EXPECT_NAMES(with("normalizer", R"({"type": "BertNormalizer"})"), "BertNormalizer");
  EXPECT_NAMES(with("normalizer", R"({"type": "Precompiled"})"), "Precompiled");
  EXPECT_NAMES(with("normalizer", R"("NFC")"), "normalizer");
  EXPECT_NAMES(with("pre_tokenizer", R"({"type": "BertPreTokenizer"})"), "BertPreTokenizer");
  EXPECT_NAMES(with("pre_tokenizer", R"({"type": "Split", "pattern": {"String": "a"}, "behavior": "Sideways"})"), "Sideways");
  EXPECT_NAMES(with("pre_tokenizer", R"({"type": "Split", "behavior": "Isolated"})"), "no pattern");
  EXPECT_NAMES(with("pre_tokenizer", R"({"type": "Metaspace", "prepend_scheme": "often"})"), "often");
  EXPECT_NAMES(with("pre_tokenizer", R"({"type": "Sequence"})"), "pretokenizers");
  EXPECT_NAMES(with("decoder", R"({"type": "WordPiece"})"), "WordPiece");
  EXPECT_NAMES(with("decoder", R"({"type": "Strip", "content": "x", "start": 1, "stop": 0})"), "Strip");
  EXPECT_NAMES(with("post_processor", R"({"type": "BertProcessing"})"), "BertProcessing");
  json file = small_json();
  for (const char* type : {"WordPiece", "Unigram", "WordLevel"}) {
    file["model"]["type"] = type;
    EXPECT_NAMES(message_of(file), type);
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    file = small_json();
    file["model"][key] = "##";
    EXPECT_NAMES(message_of(file), key);
  }
  file = small_json();
  file["model"]["unk_token"] = "<none>";
  EXPECT_FALSE(message_of(file).empty());
}

TEST(HostileVocabulary, TextsThatGrow) {
  json file = small_json();
  file["added_tokens"][0]["content"] = std::string(2000, 'a');
  EXPECT_NAMES(message_of(file), "too long");
  file = small_json();
  const json twice = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", json::array()}};
  for (int i = 0; i < 60; ++i) file["normalizer"]["normalizers"].push_back(twice);
  const auto ids = take(from_tokenizer_json(file.dump()))->encode("a");
  ASSERT_FALSE(ids);
  EXPECT_NAMES(ids.error().message(), "bytes");
  file["normalizer"] = {{"type", "Prepend"}, {"prepend", std::string(5000, 'a')}};
  EXPECT_NAMES(message_of(file), "prepend");
  file["normalizer"] = nullptr;
  file["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "abcdef"}};
  EXPECT_NAMES(message_of(file), "Metaspace");
  GgufVocabulary v;
  v.model = "gpt2";
  v.tokens = {"a", std::string(5000, 'x')};
  v.token_types = {1, 4};
  const auto tokenizer = from_gguf(v);
  ASSERT_FALSE(tokenizer);
  EXPECT_NAMES(tokenizer.error().message(), "5000");
}

TEST(HostileVocabulary, Patterns) {
  const auto with = [](const std::string& pattern) {
    json file = small_json();
    file["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}};
    return file;
  };
  for (const char* pattern :
       {"(", "[", "[a", "a\\", "[a&&b]", "[a[bc]]", "(?<n>a)\\k<n>", "(?R)", "\\1", "(a", "[[:nope:]]", "\\p{Nope}", "(?{1})", "\\u12"}) {
    EXPECT_FALSE(message_of(with(pattern)).empty()) << pattern;
  }
  EXPECT_FALSE(message_of(with(std::string(300, '(') + std::string(300, ')'))).empty());
  EXPECT_FALSE(message_of(with(std::string(100'000, 'a'))).empty());
  for (const char* pattern : {"(a+)+$", "(a|aa)+$", "(?:a*)*b", "(a*)*(a*)*(a*)*c", "(?=(a+)+b)x"}) {
    const auto tokenizer = take(from_tokenizer_json(with(pattern).dump()));
    const auto begin = std::chrono::steady_clock::now();
    const auto ids = tokenizer->encode(std::string(5000, 'a') + "c");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60)) << pattern;
    if (!ids) {
      EXPECT_NAMES(ids.error().message(), "takes too long");
    }
  }
}

GgufVocabulary small_gguf() {
  GgufVocabulary v;
  v.model = "gpt2";
  v.pre = "gpt-2";
  v.tokens = {"a", "b", "c", "ab", "abc", "<end>"};
  v.token_types = {1, 1, 1, 1, 1, 3};
  v.merges = {"a b", "ab c"};
  v.eos_id = 5;
  return v;
}

std::string message_of(const GgufVocabulary& v) {
  const auto tokenizer = from_gguf(v);
  return tokenizer ? "" : tokenizer.error().message();
}

TEST(HostileVocabulary, Gguf) {
  EXPECT_EQ(ids_of(*take(from_gguf(small_gguf())), "abcab<end>", {.parse_special = true}), (Ids{4, 3, 5}));
  GgufVocabulary v = small_gguf();
  v.pre = "strange-rule";
  EXPECT_NAMES(message_of(v), "strange-rule");
  EXPECT_NAMES(message_of(v), "default");
  v.pre = "";
  EXPECT_EQ(message_of(v), "");
  for (const char* model : {"", "no_vocab", "bert", "t5", "rwkv"}) {
    v.model = model;
    EXPECT_FALSE(message_of(v).empty()) << model;
  }
  for (const char* merge : {"", "ab", " b", "a "}) {
    v = small_gguf();
    v.merges.push_back(merge);
    EXPECT_NAMES(message_of(v), "merge") << merge;
  }
  v = small_gguf();
  v.merges.push_back("x y");  // through texts that are no tokens: falls apart again
  EXPECT_EQ(ids_of(*take(from_gguf(v)), "xya"), (Ids{0}));
  v = small_gguf();
  v.token_types.pop_back();
  EXPECT_NAMES(message_of(v), "types");
  v = small_gguf();
  v.token_types[0] = 9;
  EXPECT_NAMES(message_of(v), "9");
  v = small_gguf();
  v.scores = {1};
  EXPECT_NAMES(message_of(v), "scores");
  v = small_gguf();
  v.tokens.clear();
  EXPECT_FALSE(message_of(v).empty());
  v = small_gguf();
  v.bos_id = 6, v.eos_id = -7, v.eot_id = 1ll << 40, v.add_bos = true;
  const auto tokenizer = take(from_gguf(v));
  EXPECT_EQ(tokenizer->special().bos, no_token);
  EXPECT_FALSE(tokenizer->special().add_bos);
  EXPECT_TRUE(tokenizer->special().end_of_generation.empty());
  v = small_gguf();
  v.tokens = {"\xff", "\xff", "", "ab", "b", "<end>"};  // doubles, bytes that are no UTF-8, empty texts
  v.merges.clear();
  EXPECT_EQ(ids_of(*take(from_gguf(v)), "ab"), (Ids{4}));
}

TEST(HostileVocabulary, GgufSpm) {
  GgufVocabulary v = small_gguf();
  v.model = "llama";
  v.scores = {0, 0, 0, -1, -2, 0};
  v.token_types = {2, 3, 1, 1, 1, 3};
  EXPECT_EQ(message_of(v), "");
  v.scores[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NAMES(message_of(v), "not a number");
  v.scores.clear();
  v.token_types.clear();
  EXPECT_EQ(message_of(v), "");
  v.tokens = {"<unk>", "<s>", "</s>", "x"};
  const auto tokenizer = take(from_gguf(v));
  EXPECT_EQ(ids_of(*tokenizer, "xy</s>"), (Ids{0, 3, 0, 0, 0, 0, 0}));  // no byte tokens: unknown, one per character
  EXPECT_EQ(ids_of(*tokenizer, "</s>", {.parse_special = true}), (Ids{2}));
}

TEST(HostileVocabulary, RegexTranslation) {
  const auto matches = [](const char* pattern, std::string_view text) {
    auto regex = Regex::compile(pattern);
    if (!regex) throw std::runtime_error(regex.error().message());
    std::vector<Match> found;
    if (auto done = regex->find_all(text, Deadline(), found); !done) throw std::runtime_error(done.error().message());
    std::string out;
    for (const Match& match : found) out.append("[").append(text.substr(match.begin, match.end - match.begin)).append("]");
    return out;
  };
  EXPECT_EQ(matches("\\s+",
                    "a\xC2\x85\xC2\xA0\xE3\x80\x80\xE1\xA0\x8E"
                    "b"),
            "[\xC2\x85\xC2\xA0\xE3\x80\x80]");  // U+180E is no white space
  EXPECT_EQ(matches("(?i:'s)", "'S '\xC5\xBF"), "['S]['\xC5\xBF]");
  EXPECT_EQ(matches("\\p{N}{1,3}+", "1234567"), "[1234567]");
  EXPECT_EQ(matches("[a-c]{2}+", "abcab"), "[abca]");
  EXPECT_EQ(matches("(?:ab){1,2}+", "ababab"), "[ababab]");
  EXPECT_EQ(matches("^b", "a\nb"), "[b]");
  EXPECT_EQ(matches("a{,2}b", "aaab"), "[aab]");
  EXPECT_EQ(matches("\\h+", "xfF0g"), "[fF0]");
  EXPECT_EQ(matches("(?=b)", "abab"), "[][]");
  EXPECT_EQ(matches("[^\\S\\n]+", "a \t\nb"), "[ \t]");
}

class FolderTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const char* name, const std::string& text) { std::ofstream(folder_ / name, std::ios::binary) << text; }
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("lava_tokenizer_" + std::to_string(::getpid()));
};

TEST_F(FolderTest, FindsWhatIsThere) {
  EXPECT_FALSE(from_folder(folder_));
  EXPECT_FALSE(from_folder(folder_ / "missing"));
  write("vocab.json", R"({"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3})");
  write("merges.txt", "#version: 0.2\r\na b\r\n");
  write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer", "eos_token": {"content": "<|endoftext|>"}})");
  auto tokenizer = take(from_folder(folder_));
  EXPECT_EQ(ids_of(*tokenizer, "abba<|endoftext|>", {.parse_special = true}), (Ids{2, 1, 0, 3}));
  EXPECT_EQ(tokenizer->special().eos, 3);
  write("tokenizer_config.json", R"({"tokenizer_class": "OtherTokenizer"})");
  EXPECT_FALSE(from_folder(folder_));
  write("tokenizer_config.json",
        R"({"chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "USER: ASSISTANT: "}]})");
  write("tokenizer.json", small_json().dump());
  tokenizer = take(from_folder(folder_));
  EXPECT_EQ(tokenizer->chat_template(), "USER: ASSISTANT: ");
  write("chat_template.jinja", "<|im_start|>");
  EXPECT_EQ(take(from_folder(folder_))->chat_template(), "<|im_start|>");
  EXPECT_EQ(ids_of(*take(from_folder(folder_ / "tokenizer.json")), "abc"), (Ids{4}));
}

}  // namespace
}  // namespace lava::text::test
