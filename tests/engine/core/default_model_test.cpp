// The default model from pictures to grounded answers, against an independent implementation. Skipped where its base is not installed.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "engine/core/user_folders.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/requests.h"

namespace lava::test {
namespace {

class DefaultModel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const auto& store : model_stores())
      if (std::filesystem::exists(store / "smollm2-135m-instruct-q4_1/SmolLM2-135M-Instruct.Q4_1.gguf"))
        return void(loaded_ = std::make_unique<Loaded>(load_assistant(
                        {.model = (std::filesystem::path(LAVA_SOURCE_DIR) / "resources/models/default-v0").string(), .context = 1024})));
  }
  static void TearDownTestSuite() { loaded_.reset(); }
  void SetUp() override {
    if (!loaded_) GTEST_SKIP() << "SmolLM2-135M-Instruct is not on this computer";
    ASSERT_TRUE(loaded_->assistant);
  }
  static std::unique_ptr<Loaded> loaded_;
};
std::unique_ptr<Loaded> DefaultModel::loaded_;

TEST_F(DefaultModel, AnswersAreThoseOfTheIndependentImplementation) {
  std::ifstream file(fixture("default-v0/golden.jsonl"));
  int answers = 0;
  for (std::string line; std::getline(file, line); ++answers) {
    const auto golden = nlohmann::json::parse(line);
    const std::string name = golden["picture"].get<std::string>() + ": " + golden["question"].get<std::string>();
    const auto answer = (*loaded_)->answer(
        chat({picture_part(picture_file("default-v0/" + golden["picture"].get<std::string>())), text_part(golden["question"])}, 64));
    ASSERT_TRUE(answer) << name << ": " << answer.error().message();
    EXPECT_EQ(answer->ids, golden["answer_ids"].get<std::vector<int32_t>>()) << name;
    EXPECT_EQ(answer->text, golden["with_boxes"].get<std::string>()) << name;
    EXPECT_EQ(answer->pictures[0].tokens, golden["visual_rows"].get<int>()) << name;
    EXPECT_EQ(answer->finish_reason, "stop") << name;
  }
  EXPECT_EQ(answers, 14);
}

TEST_F(DefaultModel, ItsTowerDetects) {
  const auto own = (*loaded_)->detect({picture_file("default-v0/chelsea.png"), {}});
  ASSERT_TRUE(own) << own.error().message();
  ASSERT_EQ(own->objects.size(), 1u);
  EXPECT_EQ(own->objects[0].label, "cat");
  EXPECT_NEAR(own->objects[0].score, 0.977f, 2e-3);
  EXPECT_NEAR(own->objects[0].box[3], 253.6f, 1);
}

TEST_F(DefaultModel, FirstLogitsAgree) {
  std::ifstream file(fixture("default-v0/golden.jsonl"));
  std::string line;
  for (int i = 0; i < 4 && std::getline(file, line); ++i) {
    const auto golden = nlohmann::json::parse(line);
    const auto probe = (*loaded_)->probe(
        chat({picture_part(picture_file("default-v0/" + golden["picture"].get<std::string>())), text_part(golden["question"])}), 0);
    ASSERT_TRUE(probe) << probe.error().message();
    for (const auto& entry : golden["top5"])
      EXPECT_NEAR(probe->logits[entry[0].get<size_t>()], entry[1].get<double>(), 2e-4 * std::abs(entry[1].get<double>()));
  }
}

TEST_F(DefaultModel, MarksBecomeBoxesInPixels) {
  const Encoded cat = picture_file("default-v0/chelsea.png"), cup = picture_file("default-v0/coffee.png");
  const auto where = (*loaded_)->answer(chat({picture_part(cat), text_part("Where is the cat?")}, 32));
  ASSERT_TRUE(where);
  ASSERT_EQ(where->boxes.size(), 1u);
  EXPECT_EQ(where->boxes[0].label, "cat");  // the detector's name: the answer is only a place
  EXPECT_EQ(where->boxes[0].start, where->boxes[0].end);
  EXPECT_NEAR(where->boxes[0].box[2], 0.88 * 300, 1);

  const auto describe = (*loaded_)->answer(chat({picture_part(cup), text_part("Describe the picture with boxes.")}, 32));
  ASSERT_TRUE(describe);
  ASSERT_EQ(describe->boxes.size(), 1u);
  const AnswerBox& box = describe->boxes[0];
  EXPECT_EQ(box.label, "cup");
  EXPECT_EQ(describe->text.substr(box.start, box.end - box.start), "cup");
  EXPECT_EQ(describe->text.substr(box.mark_start, box.mark_end - box.mark_start), "[0.28, 0.20, 0.69, 0.60]");
}

// A client sends answers back as it got them, with boxes; the model reads its own marks.
TEST_F(DefaultModel, AnswersComeBackAsTheMarksTheyWere) {
  Request first = chat({picture_part(picture_file("default-v0/coffee.png")), text_part("Describe the picture with boxes.")}, 32);
  const std::vector<int32_t> before = (*loaded_)->probe(first, 0).value().prompt_ids;
  const Answer answer = (*loaded_)->answer(first).value();
  ASSERT_EQ(answer.boxes.size(), 1u);
  Request second = first;
  add_turn(second, ChatMessage::Role::assistant, {text_part(answer.text)});
  add_turn(second, ChatMessage::Role::user, {text_part("What color is it?")});
  std::vector<int32_t> known = before;
  known.insert(known.end(), answer.ids.begin(), answer.ids.end());
  const std::vector<int32_t> after = (*loaded_)->probe(second, 0).value().prompt_ids;
  ASSERT_GT(after.size(), known.size());
  EXPECT_EQ(std::vector<int32_t>(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(known.size())), known);
  EXPECT_GT((*loaded_)->answer(second).value().timings.cached_tokens, static_cast<int>(known.size()));
}

TEST_F(DefaultModel, WithoutAPictureTheAdapterIsOff) {
  Request plain = chat({text_part("What is the capital of France?")}, 12), off = plain, on = plain;
  off.adapters = std::vector<std::string>();
  on.adapters = (*loaded_)->report().adapters;
  ASSERT_EQ(on.adapters->size(), 1u);
  ASSERT_TRUE((*loaded_)->probe(plain, 0));  // so that all three find the same rows in the cache
  const auto by_rule = (*loaded_)->probe(plain, 0), without = (*loaded_)->probe(off, 0), with = (*loaded_)->probe(on, 0);
  ASSERT_TRUE(by_rule && without && with);
  EXPECT_EQ(by_rule->logits, without->logits);
  EXPECT_NE(by_rule->logits, with->logits);
  const auto answer = (*loaded_)->answer(plain);
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->text.find("Paris"), std::string::npos) << answer->text;
  EXPECT_TRUE(answer->boxes.empty());
}

}  // namespace
}  // namespace lava::test
