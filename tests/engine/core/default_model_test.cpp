// The default model from pictures to grounded answers, against an independent implementation. Skipped where its base is not installed.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "engine/core/user_folders.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/requests.h"

namespace lava::test {
namespace {

constexpr int longest_recorded = 64;  // tokens

std::vector<nlohmann::json> recorded() {
  std::ifstream file(fixture("default/golden.jsonl"));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::string name_of(const nlohmann::json& golden) { return golden["picture"].get<std::string>() + ": " + golden["question"].get<std::string>(); }

Encoded picture_of(const nlohmann::json& golden) { return picture_file("default/" + golden["picture"].get<std::string>()); }

Request asked(const nlohmann::json& golden) { return chat({picture_part(picture_of(golden)), text_part(golden["question"])}, longest_recorded); }

struct Mark {
  std::string written;  // as a reader sees it
  float box[4];         // pixels of the upright picture
  float digit;          // pixels of half the last digit that is written
};

// The marks `[k]` of a recorded answer that are objects, worked out from the recorded boxes.
std::vector<Mark> marks_of(const nlohmann::json& golden, Size size) {
  const std::string text = golden["answer"];
  const auto& objects = golden["objects"];
  const float w = static_cast<float>(size.width), h = static_cast<float>(size.height), side = std::max(w, h);
  std::vector<Mark> marks;
  for (size_t at = text.find('['); at != std::string::npos; at = text.find('[', at + 1)) {
    const size_t k = static_cast<size_t>(std::atoi(text.c_str() + at + 1));
    if (k < 1 || k > objects.size()) continue;
    const std::vector<float> b = objects[k - 1]["box"];
    char written[64];
    std::snprintf(written, sizeof written, "[%.2f, %.2f, %.2f, %.2f]", b[0], b[1], b[2], b[3]);
    const auto across = [&](float v) { return std::clamp(v * side - (side - w) / 2, 0.0f, w); };
    const auto down = [&](float v) { return std::clamp(v * side - (side - h) / 2, 0.0f, h); };
    marks.push_back({written, {across(b[0]), down(b[1]), across(b[2]), down(b[3])}, 0.005f * side});
  }
  return marks;
}

class DefaultModel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const auto& store : model_stores())
      if (std::filesystem::exists(store / "smollm2-135m-instruct-q4_1/SmolLM2-135M-Instruct.Q4_1.gguf"))
        return void(loaded_ = std::make_unique<Loaded>(load_assistant(
                        {.model = (std::filesystem::path(LAVA_SOURCE_DIR) / "resources/models/default").string(), .context = 1024})));
  }
  static void TearDownTestSuite() { loaded_.reset(); }
  void SetUp() override {
    if (!loaded_) GTEST_SKIP() << "SmolLM2-135M-Instruct is not on this computer";
    ASSERT_TRUE(loaded_->assistant);
  }
  static std::unique_ptr<Loaded> loaded_;
};
std::unique_ptr<Loaded> DefaultModel::loaded_;

// By index, so that a slow device can be given a few of them.
class DefaultAnswers : public DefaultModel, public ::testing::WithParamInterface<size_t> {};

constexpr size_t recorded_answers = 24;
TEST(DefaultModelFixture, HoldsAllAnswers) { EXPECT_EQ(recorded().size(), recorded_answers); }

TEST_P(DefaultAnswers, AreThoseOfTheIndependentImplementation) {
  const nlohmann::json golden = recorded().at(GetParam());
  const std::string name = name_of(golden);
  const auto answer = (*loaded_)->answer(asked(golden));
  ASSERT_TRUE(answer) << name << ": " << answer.error().message();
  EXPECT_EQ(answer->ids, golden["answer_ids"].get<std::vector<int32_t>>()) << name;
  EXPECT_EQ(answer->text, golden["with_boxes"].get<std::string>()) << name;
  EXPECT_EQ(answer->pictures[0].tokens, golden["visual_rows"].get<int>()) << name;
  EXPECT_EQ(answer->finish_reason, golden["answer_ids"].size() < longest_recorded ? "stop" : "length") << name;
}

INSTANTIATE_TEST_SUITE_P(Recorded, DefaultAnswers, ::testing::Range(size_t{0}, recorded_answers));

TEST_F(DefaultModel, PromptsAreThoseOfTheIndependentImplementation) {
  for (const auto& golden : recorded()) {
    std::vector<int32_t> wanted = golden["prompt_before"];
    const std::vector<int32_t> after = golden["prompt_after"];
    wanted.insert(wanted.end(), after.begin(), after.end());
    EXPECT_EQ((*loaded_)->probe(asked(golden), 0).value().prompt_ids, wanted) << name_of(golden);
  }
}

TEST_F(DefaultModel, ItsTowerDetects) {
  const auto own = (*loaded_)->detect({picture_file("default/chelsea.png"), {}});
  ASSERT_TRUE(own) << own.error().message();
  ASSERT_EQ(own->objects.size(), 1u);
  EXPECT_EQ(own->objects[0].label, "cat");
  EXPECT_NEAR(own->objects[0].score, 0.977f, 2e-3);
  EXPECT_NEAR(own->objects[0].box[3], 253.6f, 1);
}

TEST_F(DefaultModel, FirstLogitsAgree) {
  for (const auto& golden : recorded()) {
    const auto probe = (*loaded_)->probe(asked(golden), 0);
    ASSERT_TRUE(probe) << probe.error().message();
    for (const auto& entry : golden["top5"])
      EXPECT_NEAR(probe->logits[entry[0].get<size_t>()], entry[1].get<double>(), 2e-4 * std::abs(entry[1].get<double>())) << name_of(golden);
  }
}

TEST_F(DefaultModel, MarksBecomeBoxesInPixels) {
  int compared = 0;
  for (const auto& golden : recorded()) {
    SCOPED_TRACE(name_of(golden));
    const auto answer = (*loaded_)->answer(asked(golden));
    ASSERT_TRUE(answer);
    const std::vector<Mark> marks = marks_of(golden, answer->pictures[0].size);
    ASSERT_EQ(answer->boxes.size(), marks.size());
    for (size_t i = 0; i < marks.size(); ++i, ++compared) {
      const AnswerBox& box = answer->boxes[i];
      EXPECT_EQ(answer->text.substr(box.mark_start, box.mark_end - box.mark_start), marks[i].written);
      EXPECT_FALSE(box.label.empty());  // words of the answer, or where there are none what the tower sees
      if (box.start != box.end) {
        EXPECT_EQ(answer->text.substr(box.start, box.end - box.start), box.label);
        EXPECT_LE(box.end, box.mark_start);
      }
      for (int k = 0; k < 4; ++k) EXPECT_NEAR(box.box[k], marks[i].box[k], marks[i].digit + 0.1f) << k;
    }
  }
  EXPECT_GE(compared, 4);
}

TEST_F(DefaultModel, TheCatIsWhereItIs) {
  const auto where = (*loaded_)->answer(chat({picture_part(picture_file("default/chelsea.png")), text_part("Where is the cat?")}, 32));
  ASSERT_TRUE(where);
  ASSERT_EQ(where->boxes.size(), 1u);
  const AnswerBox& cat = where->boxes[0];
  EXPECT_EQ(cat.label, "cat");
  EXPECT_TRUE(cat.box[0] < 100 && 200 < cat.box[2] && cat.box[1] < 100 && 190 < cat.box[3]) << where->text;  // its face is in the middle of 300 x 300
}

// A client sends answers back as it got them, with boxes; the model reads its own marks.
TEST_F(DefaultModel, AnswersComeBackAsTheMarksTheyWere) {
  int asked_again = 0;
  for (const auto& golden : recorded()) {
    if (asked_again == 3) break;
    SCOPED_TRACE(name_of(golden));
    const Request first = asked(golden);
    const Answer answer = (*loaded_)->answer(first).value();
    if (answer.boxes.empty()) continue;
    ++asked_again;
    Request second = first;
    add_turn(second, ChatMessage::Role::assistant, {text_part(answer.text)});
    add_turn(second, ChatMessage::Role::user, {text_part("What color is it?")});
    std::vector<int32_t> known = (*loaded_)->probe(first, 0).value().prompt_ids;
    known.insert(known.end(), answer.ids.begin(), answer.ids.end());
    const std::vector<int32_t> after = (*loaded_)->probe(second, 0).value().prompt_ids;
    ASSERT_GT(after.size(), known.size());
    EXPECT_EQ(std::vector<int32_t>(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(known.size())), known);
    EXPECT_GT((*loaded_)->answer(second).value().timings.cached_tokens, static_cast<int>(known.size()));
  }
  EXPECT_EQ(asked_again, 3);
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
