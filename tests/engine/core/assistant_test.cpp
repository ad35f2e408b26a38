// One loaded model answering: streams, ends, reuse, errors with remedies.
#include "engine/core/assistant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "engine/text/unicode.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/requests.h"

namespace lava::test {
namespace {

const std::string llava = "transformers/llava15";

class AssistantTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    loaded_ = std::make_unique<Loaded>(load_assistant({.model = fixture(llava).string(), .context = 700, .exact = true}));
  }
  static void TearDownTestSuite() { loaded_.reset(); }
  void SetUp() override { ASSERT_TRUE(loaded_ && loaded_->assistant); }
  Assistant& assistant() { return *loaded_->assistant; }
  Answer answer(const Request& request) {
    auto answered = assistant().answer(request);
    EXPECT_TRUE(answered) << answered.error().message();
    return answered ? *answered : Answer();
  }

  static std::unique_ptr<Loaded> loaded_;
};
std::unique_ptr<Loaded> AssistantTest::loaded_;

TEST_F(AssistantTest, ReportsWhatItIs) {
  const ModelReport& report = assistant().report();
  EXPECT_EQ(report.name, "llava15");
  EXPECT_EQ(report.text, "llama 2 x 64, F16");
  EXPECT_EQ(report.chat_format, "vicuna_v1");
  EXPECT_EQ(report.grounding, "boxes");
  EXPECT_EQ(report.context, 700);
  EXPECT_FALSE(report.vision.empty());
  EXPECT_GT(report.weight_bytes, 500'000u);
}

TEST_F(AssistantTest, StreamedTextIsTheAnswer) {
  std::string streamed;
  Request request = chat({picture_part(picture_file(llava + "/scene.png")), text_part("What is this?")}, 24);
  request.on_text = [&](std::string_view text, const TokenLogprob* logprob, const auto&) {
    EXPECT_EQ(logprob, nullptr);
    EXPECT_TRUE(text::is_valid_utf8(text));
    streamed += text;
  };
  const Answer whole = answer(request);
  EXPECT_EQ(streamed, whole.text);
  EXPECT_EQ(whole.finish_reason, "length");
  EXPECT_EQ(whole.ids.size(), 24u);
  ASSERT_EQ(whole.pictures.size(), 1u);
  EXPECT_EQ(whole.pictures[0].tokens, 16);
  EXPECT_EQ(whole.pictures[0].size, (Size{320, 240}));
  EXPECT_GT(whole.timings.first_token_ms, 0);
  EXPECT_EQ(whole.timings.decode_tokens, 24);
}

TEST_F(AssistantTest, TheSameQuestionAgainCostsNothing) {
  const Request request = chat({picture_part(picture_file(llava + "/odd.png")), text_part("Say it.")});
  const Answer first = answer(request), second = answer(request);
  EXPECT_FALSE(first.pictures[0].cached);
  EXPECT_TRUE(second.pictures[0].cached);
  EXPECT_EQ(second.timings.cached_tokens, second.timings.prompt_tokens);
  EXPECT_EQ(first.ids, second.ids);
}

// This model's tower finds no objects: the detector that comes with the program does, and the conversation is not disturbed.
TEST_F(AssistantTest, DetectsWithoutADetectorOfItsOwn) {
  const Request request = chat({picture_part(picture_file(llava + "/odd.png")), text_part("Detect.")});
  const Answer first = answer(request);
  const auto found = assistant().detect({picture_file("default/chelsea.png"), {}});
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->size, (Size{300, 300}));
  ASSERT_EQ(found->objects.size(), 1u);
  EXPECT_EQ(found->objects[0].label, "cat");
  const Answer second = answer(request);
  EXPECT_EQ(second.timings.cached_tokens, second.timings.prompt_tokens);
  EXPECT_EQ(first.ids, second.ids);
  EXPECT_FALSE(assistant().detect({std::make_shared<const std::string>("no picture"), {}}));
}

TEST_F(AssistantTest, ANextQuestionReusesPictureAndFirstTurn) {
  Request request = chat({picture_part(picture_file(llava + "/gray.png")), text_part("First?")}, 4);
  const Answer first = answer(request);
  add_turn(request, ChatMessage::Role::assistant, {text_part("It is.")});
  add_turn(request, ChatMessage::Role::user, {text_part("Second?")});
  const Answer second = answer(request);
  EXPECT_TRUE(second.pictures[0].cached);
  EXPECT_GE(second.timings.cached_tokens, first.timings.prompt_tokens - 1);
}

TEST_F(AssistantTest, StopStringsCutAndEndTheAnswer) {
  Request request = chat({text_part("Tell me more.")}, 40);
  const Answer whole = answer(request);
  const size_t middle = whole.text.size() / 2;
  ASSERT_GT(middle, 4u);
  size_t at = middle;
  while ((static_cast<unsigned char>(whole.text[at]) & 0xC0) == 0x80) ++at;
  request.stop = {whole.text.substr(at, 6)};
  const Answer cut = answer(request);
  EXPECT_EQ(cut.finish_reason, "stop");
  EXPECT_EQ(cut.text, whole.text.substr(0, whole.text.find(request.stop[0])));
}

TEST_F(AssistantTest, LogProbabilitiesOfEveryToken) {
  Request request = chat({text_part("Hi")}, 6);
  request.top_logprobs = 3;
  int tokens = 0;
  request.on_text = [&](std::string_view, const TokenLogprob* logprob, const std::vector<TokenLogprob>& top) {
    if (!logprob) return;
    ++tokens;
    ASSERT_EQ(top.size(), 3u);
    EXPECT_EQ(top[0].id, logprob->id);  // greedy
    EXPECT_LE(logprob->logprob, 0);
  };
  answer(request);
  EXPECT_EQ(tokens, 6);
}

TEST_F(AssistantTest, SeedsRepeat) {
  Request request = chat({text_part("Hello")}, 20);
  request.sampling = {.temperature = 1.5f, .seed = 42};
  const Answer first = answer(request), second = answer(request);
  EXPECT_EQ(first.ids, second.ids);
  request.sampling.seed = 43;
  EXPECT_NE(answer(request).ids, first.ids);
  EXPECT_TRUE(std::none_of(first.ids.begin(), first.ids.end(), [](int32_t id) { return id >= 1282; }));  // marker, padding, rounding
}

TEST_F(AssistantTest, CancelledBeforeAndWhileAnswering) {
  std::atomic<bool> cancel{true};
  Request request = chat({picture_part(picture_file(llava + "/alpha.png")), text_part("Wait")}, 400);
  request.cancel = &cancel;
  auto cancelled = assistant().answer(request);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().kind, Error::Kind::cancelled);
  cancel = false;
  int pieces = 0;
  request.on_text = [&](std::string_view, const TokenLogprob*, const auto&) { cancel = ++pieces >= 3; };
  cancelled = assistant().answer(request);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().kind, Error::Kind::cancelled);
  EXPECT_EQ(pieces, 3);
}

TEST_F(AssistantTest, TooLongAPromptIsRefusedWithNumbers) {
  std::string text;
  for (int i = 0; i < 800; ++i) text += "word ";
  const auto refused = assistant().answer(chat({text_part(text)}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::too_large);
  EXPECT_NE(refused.error().cause.find("the context holds 700"), std::string::npos);
  EXPECT_FALSE(refused.error().remedy.empty());
}

TEST_F(AssistantTest, TooManyPicturesAreRefusedBeforeAnyIsEncoded) {
  std::vector<MessagePart> parts{text_part("All of them")};
  for (int i = 0; i < 50; ++i) parts.push_back(picture_part(picture_file(llava + "/scene.png")));
  Request request = chat(parts);
  request.on_progress = [](const char* phase, int, int) { ADD_FAILURE() << phase; };
  const auto refused = assistant().answer(request);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().cause.find("800 of them for pictures"), std::string::npos) << refused.error().message();
}

TEST_F(AssistantTest, AFullContextEndsTheAnswer) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "word ";
  Request request = chat({text_part(text)}, 100'000);
  const Answer full = answer(request);
  EXPECT_EQ(full.finish_reason, "length");
  EXPECT_EQ(full.timings.prompt_tokens + static_cast<int>(full.ids.size()), 700 + 1);
}

TEST_F(AssistantTest, HostileRequests) {
  EXPECT_FALSE(assistant().answer(chat({text_part("x")}, 0)));
  EXPECT_FALSE(assistant().answer(chat({picture_part(nullptr), text_part("x")})));
  EXPECT_FALSE(assistant().answer(chat({picture_part(std::make_shared<const std::string>("no picture")), text_part("x")})));
  Request adapters = chat({text_part("x")});
  adapters.adapters = std::vector<std::string>{"none such"};
  EXPECT_EQ(assistant().answer(adapters).error().kind, Error::Kind::not_found);
  Request markers;
  markers.raw_prompt = "<image> and <image>";
  markers.raw_pictures = {picture_file(llava + "/odd.png")};
  const auto refused = assistant().answer(markers);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().cause.find("2 places for 1 pictures"), std::string::npos);
  Request odd = chat({text_part(std::string("\xff\xfe\x00 <|im_end|> </s> <image> [INST]", 34))}, 2);
  EXPECT_TRUE(assistant().answer(odd));
}

TEST_F(AssistantTest, MegabytesOfTextAreRefusedAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  const auto refused = assistant().answer(chat({text_part(std::string(size_t{48} << 20, 'a'))}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::too_large);
  EXPECT_NE(refused.error().cause.find("48 MB"), std::string::npos) << refused.error().message();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST_F(AssistantTest, ABrokenPictureAmongOthersIsNumbered) {
  const auto whole = picture_file(llava + "/odd.png");
  for (const size_t size : {size_t{40}, whole->size() - 20}) {
    const auto cut = std::make_shared<const std::string>(whole->substr(0, size));
    const auto refused = assistant().answer(chat({picture_part(whole), picture_part(cut), text_part("x")}));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().cause.starts_with("picture 2")) << refused.error().message();
  }
}

TEST_F(AssistantTest, PreviewCountsWithoutEncoding) {
  const auto preview = assistant().preview({640, 480}, 1);
  ASSERT_TRUE(preview);
  EXPECT_EQ(preview->second, 16);
  EXPECT_EQ(preview->first.size(), 1u);
  EXPECT_FALSE(assistant().preview({0, 0}, 1));
}

TEST(AssistantLoad, TextModelsRefusePicturesWithARemedy) {
  const Loaded loaded = load_assistant({.model = fixture("transformers/text_qwen2").string(), .context = 300, .exact = true});
  ASSERT_TRUE(loaded.assistant);
  Request request;
  request.raw_prompt = "<image>What?";
  request.raw_pictures = {picture_file(llava + "/odd.png")};
  const auto refused = loaded->answer(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Error::Kind::unsupported);
  EXPECT_FALSE(refused.error().remedy.empty());
  EXPECT_EQ(loaded->report().grounding, "none");
}

TEST(AssistantLoad, ErrorsNameTheFile) {
  auto device = make_cpu_device({.threads = 1, .pin = false});
  ASSERT_TRUE(device);
  const auto message = [&](const AssistantOptions& options) {
    const auto assistant = Assistant::load(**device, options);
    return assistant ? std::string("loaded") : assistant.error().message();
  };
  EXPECT_NE(message({.model = "/nowhere/model.gguf"}).find("/nowhere/model.gguf"), std::string::npos);
  EXPECT_NE(message({.model = fixture("mmproj/llava15-legacy.gguf").string()}).find("projector"), std::string::npos);
  EXPECT_NE(message({.model = fixture("transformers/text_qwen2").string(), .context = 100'000}).find("made for 4096"), std::string::npos);
  EXPECT_NE(
      message({.model = fixture(llava).string(), .mmproj = fixture("mmproj/llava15-legacy.gguf").string()}).find("its own vision part"),
      std::string::npos);
  EXPECT_NE(message({.model = fixture("detector").string()}).find("no model"), std::string::npos);
}

}  // namespace
}  // namespace lava::test
