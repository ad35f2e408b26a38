// Preparing before the words are known: the question finds its picture and its rows, answers the same, and nothing that was there is lost.
#include "engine/core/ahead.h"

#include <gtest/gtest.h>

#include "tests/support/engine/goldens.h"
#include "tests/support/engine/requests.h"

namespace lava::test {
namespace {

const std::string llava = "transformers/llava15";

Loaded load() { return load_assistant({.model = fixture(llava).string(), .context = 700, .exact = true}); }
MessagePart scene() { return picture_part(picture_file(llava + "/scene.png")); }
MessagePart odd() { return picture_part(picture_file(llava + "/odd.png")); }

TEST(Prepare, TheQuestionFindsItsPictureAndItsRows) {
  const Loaded with = load(), without = load();
  const Request question = chat({scene(), text_part("What is this?")}, 24);
  const auto prepared = with->prepare(chat({scene()}));
  ASSERT_TRUE(prepared) << prepared.error().message();
  ASSERT_EQ(prepared->pictures.size(), 1u);
  EXPECT_EQ(prepared->pictures[0].tokens, 16);
  EXPECT_FALSE(prepared->pictures[0].cached);
  EXPECT_EQ(prepared->timings.cached_tokens, 0);
  EXPECT_GT(prepared->timings.prompt_tokens, 16);

  int phases = 0;
  Request watched = question;
  watched.on_progress = [&](const char* phase, int done, int) { phases += std::string(phase) == "prompt" && done < prepared->timings.prompt_tokens; };
  const Answer ready = with->answer(watched).value(), plain = without->answer(question).value();
  EXPECT_EQ(phases, 0);
  EXPECT_TRUE(ready.pictures[0].cached);
  EXPECT_FALSE(plain.pictures[0].cached);
  EXPECT_EQ(ready.timings.cached_tokens, prepared->timings.prompt_tokens);
  EXPECT_EQ(ready.timings.prompt_tokens, plain.timings.prompt_tokens);
  EXPECT_EQ(ready.ids, plain.ids);
  EXPECT_EQ(ready.text, plain.text);
}

TEST(Prepare, TheNextTokenIsAsLikelyAsWithout) {
  const Loaded with = load(), without = load();
  ASSERT_TRUE(with->prepare(chat({scene(), text_part("")})));
  const Request question = chat({scene(), text_part("Where?")});
  const std::vector<float> ready = with->probe(question, 0).value().logits, plain = without->probe(question, 0).value().logits;
  ASSERT_EQ(ready.size(), plain.size());
  for (size_t i = 0; i < ready.size(); ++i) ASSERT_EQ(ready[i], plain[i]) << i;
}

TEST(Prepare, AgainCostsNothing) {
  const Loaded loaded = load();
  ASSERT_TRUE(loaded->prepare(chat({scene()})));
  const auto again = loaded->prepare(chat({scene()}));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->pictures[0].cached);
  EXPECT_EQ(again->timings.cached_tokens, again->timings.prompt_tokens);
}

TEST(Prepare, AnAnswerThatFollowedStays) {
  const Loaded loaded = load();
  Request request = chat({scene(), text_part("First?")}, 4);
  const Answer first = loaded->answer(request).value();
  ASSERT_TRUE(loaded->prepare(chat({scene()})));  // came late: its question is answered already
  add_turn(request, ChatMessage::Role::assistant, {text_part("It is.")});
  add_turn(request, ChatMessage::Role::user, {text_part("Second?")});
  EXPECT_GE(loaded->answer(request).value().timings.cached_tokens, first.timings.prompt_tokens - 1);
}

TEST(Prepare, GoesOnFromTheConversation) {
  const Loaded loaded = load();
  Request request = chat({scene(), text_part("First?")}, 4);
  const Answer first = loaded->answer(request).value();
  add_turn(request, ChatMessage::Role::assistant, {text_part("It is.")});
  Request ahead = request, question = request;
  add_turn(ahead, ChatMessage::Role::user, {odd()});
  add_turn(question, ChatMessage::Role::user, {odd(), text_part("And this?")});
  const auto prepared = loaded->prepare(ahead);
  ASSERT_TRUE(prepared);
  EXPECT_GE(prepared->timings.cached_tokens, first.timings.prompt_tokens - 1);
  EXPECT_EQ(loaded->answer(question).value().timings.cached_tokens, prepared->timings.prompt_tokens);
}

// Pictures that are attached and removed in a new chat share one slot; the other keeps the last conversation.
TEST(Prepare, TheLastConversationOutlivesAnyNumberOfPictures) {
  const Loaded loaded = load();
  Request request = chat({text_part("Remember what I say here, word for word, for as long as you can.")}, 4);
  const Answer first = loaded->answer(request).value();
  for (const char* name : {"/scene.png", "/odd.png", "/gray.png", "/alpha.png"}) {
    ASSERT_TRUE(loaded->prepare(chat({picture_part(picture_file(llava + name)), picture_part(picture_file(llava + "/scene.png")), odd()})));
  }
  EXPECT_EQ(loaded->answer(request).value().timings.cached_tokens, first.timings.prompt_tokens);
}

TEST(Prepare, CancelledKeepsWhatWasDone) {
  const Loaded loaded = load();
  std::atomic<bool> cancel{false};
  Request ahead = chat({scene(), odd()});
  ahead.cancel = &cancel;
  ahead.on_progress = [&](const char* phase, int done, int) { cancel = std::string(phase) == "picture" && done == 1; };
  const auto cancelled = loaded->prepare(ahead);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().kind, Error::Kind::cancelled);
  const Answer answer = loaded->answer(chat({scene(), odd(), text_part("Both?")}, 2)).value();
  EXPECT_TRUE(answer.pictures[0].cached);
  EXPECT_FALSE(answer.pictures[1].cached);
}

TEST(Prepare, RefusesWithARemedy) {
  const Loaded loaded = load();
  const auto nothing = loaded->prepare(chat({text_part("Words alone")}));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, Error::Kind::invalid);
  EXPECT_FALSE(nothing.error().remedy.empty());
  EXPECT_FALSE(loaded->prepare(chat({picture_part(std::make_shared<const std::string>("no picture"))})));
  EXPECT_FALSE(loaded->prepare(chat({picture_part(nullptr)})));
  EXPECT_FALSE(loaded->prepare(Request()));
  Request adapters = chat({scene()});
  adapters.adapters = std::vector<std::string>{"none such"};
  EXPECT_EQ(loaded->prepare(adapters).error().kind, Error::Kind::not_found);
}

TEST(Prepare, AModelThatCannotSeeSaysSo) {
  const Loaded loaded = load_assistant({.model = fixture("text_models/llava15_pair/llava15-F16.gguf").string(), .context = 300, .exact = true});
  ASSERT_TRUE(loaded.assistant);
  const auto blind = loaded->prepare(chat({scene()}));
  ASSERT_FALSE(blind);
  EXPECT_EQ(blind.error().what, "This model cannot see pictures");
}

TEST(PreparedFor, QuestionsThatBeginTheSame) {
  const Request ahead = chat({scene()}), question = chat({scene(), text_part("What?")});
  EXPECT_TRUE(prepares(ahead, question));
  EXPECT_TRUE(prepares(chat({scene(), text_part("")}), question));
  EXPECT_TRUE(prepares(chat({text_part("Look: "), scene()}), chat({text_part("Look: "), scene(), text_part("Well?")})));
  EXPECT_FALSE(prepares(ahead, chat({text_part("Look: "), scene()})));
  EXPECT_FALSE(prepares(ahead, chat({text_part("What?")})));
  EXPECT_FALSE(prepares(ahead, chat({odd(), text_part("What?")})));
  EXPECT_FALSE(prepares(ahead, chat({scene(), odd(), text_part("What?")})));
  EXPECT_FALSE(prepares(chat({scene(), odd()}), question));
  EXPECT_FALSE(prepares(chat({text_part("")}), chat({text_part("What?")})));
  EXPECT_FALSE(prepares(Request(), Request()));

  Request pointed = question, adapted = question;
  pointed.messages[0].parts[0].regions.push_back({0, 0, 10, 10});
  EXPECT_FALSE(prepares(ahead, pointed));
  adapted.adapters.emplace();
  EXPECT_FALSE(prepares(ahead, adapted));

  Request later = question, other = question;
  add_turn(later, ChatMessage::Role::assistant, {text_part("A cat.")});
  other = later;
  add_turn(later, ChatMessage::Role::user, {odd()});
  add_turn(other, ChatMessage::Role::user, {odd(), text_part("And this?")});
  EXPECT_TRUE(prepares(later, other));
  EXPECT_FALSE(prepares(later, question));
  other.messages[1].parts[0].text = "A dog.";
  EXPECT_FALSE(prepares(later, other));
}

}  // namespace
}  // namespace lava::test
