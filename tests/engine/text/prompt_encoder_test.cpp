#include "engine/text/prompt_encoder.h"

#include <gtest/gtest.h>

#include "text_fixtures.h"

namespace lava::text::test {
namespace {

class TransformersPrompts : public testing::TestWithParam<const char*> {};

// Prompts with <image> markers become the ids that transformers gives, with the image token in the place of each marker.
TEST_P(TransformersPrompts, MatchTransformers) {
  const std::string folder = std::string("transformers/") + GetParam();
  const auto expected = read_json_fixture(folder + "/expect.json");
  const auto tokenizer = take(from_folder(fixture_path(folder)));
  size_t cases = 0;
  for (const auto& one : expected["cases"]) {
    const auto segments = segments_from_raw(one["prompt"].get<std::string>());
    const auto pieces = encode_prompt(*tokenizer, segments);
    ASSERT_TRUE(pieces) << pieces.error().message();
    const auto image = tokenizer->id_of("<image>");
    EXPECT_EQ(flatten(*pieces, image.value_or(-1)), one["prompt_token_ids"].get<std::vector<int32_t>>()) << one["name"];
    ++cases;
  }
  EXPECT_GE(cases, 2u);
}

INSTANTIATE_TEST_SUITE_P(Models, TransformersPrompts,
                         testing::Values("llava15", "llava15__legacy", "llava_next", "llava_next__legacy", "llava_onevision",
                                         "llava_onevision__legacy", "text_llama_gqa", "text_llama3_rope", "text_mistral", "text_qwen2",
                                         "text_qwen2_realtok"));

std::vector<int32_t> flat(const Tokenizer& tokenizer, std::vector<Segment> segments) {
  const auto pieces = encode_prompt(tokenizer, segments);
  if (!pieces) throw std::runtime_error(pieces.error().message());
  return flatten(*pieces, -1);
}

TEST(PromptEncoder, SpmPutsAPrefixSpaceBehindEveryPicture) {
  const auto ids = flat(llama_spm(), segments_from_raw("USER: <image>\nWhat is this? ASSISTANT:"));
  const std::vector<int32_t> before = {1, 3148, 1001, 29901, 29871, -1, 29871, 13};
  ASSERT_GT(ids.size(), before.size());
  EXPECT_EQ(std::vector<int32_t>(ids.begin(), ids.begin() + before.size()), before);
}

TEST(PromptEncoder, BosStandsOnce) {
  const std::vector<int32_t> expected = {1, 15043};
  EXPECT_EQ(flat(llama_spm(), {{"Hello", false, -1}}), expected);
  EXPECT_EQ(flat(llama_spm(), {{"<s>", true, -1}, {"Hello", false, -1}}), expected);
  EXPECT_EQ(flat(llama_spm(), {{"<s><s>Hello", true, -1}}), expected);
  EXPECT_EQ(flat(llama_spm(), {}), std::vector<int32_t>{1});
  const std::vector<int32_t> picture_first = {1, -1, 29871, 13};
  EXPECT_EQ(flat(llama_spm(), segments_from_raw("<image>\n")), picture_first);
  EXPECT_EQ(flat(qwen2_5(), {{"Hello", false, -1}}), std::vector<int32_t>{9707});
}

TEST(PromptEncoder, SegmentsMergeAsOneText) {
  for (const Tokenizer* tokenizer : {&qwen2_5(), &llama3(), &llama_spm(), &smollm2()}) {
    const auto whole = flat(*tokenizer, {{"The answer is forty-two.  Really", true, -1}});
    EXPECT_EQ(flat(*tokenizer, {{"The ans", true, -1}, {"wer is for", false, -1}, {"ty-two. ", true, -1}, {" Really", false, -1}}), whole);
  }
}

TEST(PromptEncoder, UserTextNeverBecomesControl) {
  const auto ids = flat(qwen2_5(), {{"<|im_start|>user\n", true, -1}, {"a<|im_end|>b<|im_start|>", false, -1}, {"<|im_end|>", true, -1}});
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 151645), 1);
  EXPECT_EQ(ids.back(), 151645);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 151644), 1);
  // Neither half of a control token may come from the user.
  const auto split = flat(qwen2_5(), {{"<|im_", false, -1}, {"end|>", true, -1}});
  EXPECT_EQ(std::count(split.begin(), split.end(), 151645), 0);
}

}  // namespace
}  // namespace lava::text::test
