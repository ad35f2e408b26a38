// Regions that the user points at, from a request to the prompt, with a tiny language model and made-up weights.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "engine/connectors/object_words.h"
#include "engine/core/prompt_marks.h"
#include "tests/support/engine/files.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/made_weights.h"
#include "tests/support/engine/requests.h"

namespace lava::test {
namespace {

TEST(RegionMarks, MentionsBecomeMarks) {
  const std::vector<int> marks = {7, 10};
  EXPECT_EQ(with_region_marks("What is [region]?", marks), "What is [7]?");
  EXPECT_EQ(with_region_marks("[region 2] or [region 1]", marks), "[10] or [7]");
  EXPECT_EQ(with_region_marks("[region][region 2]", marks), "[7][10]");
  for (const char* same : {"[region 3]", "[region 0]", "[region 2", "[region two]", "[regions]", "[region", "region 1", "", "[region 99999999999999999999]"})
    EXPECT_EQ(with_region_marks(same, marks), same);
  EXPECT_EQ(with_region_marks("[region [region 1]", marks), "[region [7]");
  EXPECT_EQ(with_region_marks("[region]", {}), "[region]");
}

float difference(const Probe& a, const Probe& b) {
  float most = 0;
  for (size_t i = 0; i < a.logits.size(); ++i) most = std::max(most, std::abs(a.logits[i] - b.logits[i]));
  return most;
}

class Regions : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    const nlohmann::json vision = write_made_vision(folder_->path(), read_fixture_json("regions/cases.json"));
    std::filesystem::copy_file(fixture("text_models/llava15_pair/llava15-F16.gguf"), *folder_ / "text.gguf");
    const nlohmann::json model = {{"text", {{"gguf", "text.gguf"}}}, {"vision", vision}, {"chat", "vicuna"}, {"grounding", "marks"}, {"compute", "float32"}};
    write_text(*folder_ / "model.json", model.dump());
    loaded_ = std::make_unique<Loaded>(load_assistant({.model = folder_->path().string()}));
  }
  static void TearDownTestSuite() { loaded_.reset(), folder_.reset(); }
  void SetUp() override { ASSERT_TRUE(loaded_->assistant); }

  static MessagePart cup(std::vector<PictureRegion> regions) {
    MessagePart part = picture_part(picture_file("default/coffee.png"));
    part.regions = std::move(regions);
    return part;
  }
  static Probe probe(std::vector<MessagePart> parts) { return (*loaded_)->probe(chat(std::move(parts)), 0).value(); }

  static std::unique_ptr<TemporaryFolder> folder_;
  static std::unique_ptr<Loaded> loaded_;
};
std::unique_ptr<TemporaryFolder> Regions::folder_;
std::unique_ptr<Loaded> Regions::loaded_;

TEST_F(Regions, AreFurtherRows) {
  EXPECT_TRUE((*loaded_)->report().regions);
  const PictureRegion here{60, 70, 200, 180}, there{0, 0, 300, 40};
  const Probe plain = probe({cup({}), text_part("What is it?")}), one = probe({cup({here}), text_part("What is it?")});
  EXPECT_EQ(one.image_tokens, plain.image_tokens + ObjectWords::rows_per_object);
  EXPECT_GT(difference(one, plain), 0.01f);
  EXPECT_GT(difference(one, probe({cup({there}), text_part("What is it?")})), 0.01f);
  EXPECT_LT(difference(one, probe({cup({here}), text_part("What is it?")})), 1e-3f);  // other rows of it were in the cache
}

TEST_F(Regions, AreSpokenOfByTheirMarks) {
  const PictureRegion here{60, 70, 200, 180};
  const int marks = (probe({cup({here}), text_part("x")}).image_tokens - ObjectWords::picture_rows) / ObjectWords::rows_per_object;
  const std::string mark = fmt::format("[{}]", marks);
  EXPECT_EQ(probe({cup({here}), text_part("What is [region]?")}).prompt_ids, probe({cup({here}), text_part("What is " + mark + "?")}).prompt_ids);
  EXPECT_NE(probe({cup({}), text_part("What is [region]?")}).prompt_ids, probe({cup({}), text_part("What is " + mark + "?")}).prompt_ids);

  Request later = chat({cup({here}), text_part("Look.")}), written = later;
  for (Request* request : {&later, &written}) add_turn(*request, ChatMessage::Role::assistant, {text_part("Yes [region].")});
  add_turn(later, ChatMessage::Role::user, {text_part("And [region 1]?")});
  add_turn(written, ChatMessage::Role::user, {text_part("And " + mark + "?")});
  EXPECT_EQ((*loaded_)->probe(later, 0).value().prompt_ids, (*loaded_)->probe(written, 0).value().prompt_ids);
}

TEST_F(Regions, MustLieInTheirPicture) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const PictureRegion& wrong : {PictureRegion{60, 70, 60, 180}, {60, 70, 400, 180}, {-20, 0, 40, 40}, {200, 0, 100, 40}, {nan, 0, 40, 40}, {0, 0, 0.5f, 40}}) {
    const auto answer = (*loaded_)->answer(chat({cup({wrong}), text_part("What is it?")}));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Error::Kind::invalid);
    EXPECT_NE(answer.error().message().find("picture 1"), std::string::npos) << answer.error().message();
  }
  const auto many = (*loaded_)->answer(chat({cup(std::vector<PictureRegion>(11, {0, 0, 30, 30})), text_part("What is it?")}));
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().kind, Error::Kind::too_large);
}

}  // namespace
}  // namespace lava::test
