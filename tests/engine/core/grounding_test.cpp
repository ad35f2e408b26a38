#include "engine/text/grounding.h"

#include <gtest/gtest.h>

#include <random>

namespace lava::text {
namespace {

std::vector<Object> objects() { return {{{0.0007f, 0.1729f, 0.8799f, 0.8452f}, 0.9f, "cat"}, {{0.28f, 0.2f, 0.69f, 0.6f}, 0.8f, "cup"}}; }

std::string whole(const std::string& text, const std::vector<Object>& all) {
  MarkRewriter rewriter(all);
  std::string out = rewriter.push(text);
  return out + rewriter.finish();
}

TEST(Grounding, PhraseBeforeAPlaceWithoutItsArticle) {
  const std::string text = "A cat [0.00, 0.17, 0.88, 0.85] sleeps.";
  const auto places = find_places(text);
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0].label, "cat");
  EXPECT_EQ(places[0].start, 2u);
  EXPECT_EQ(places[0].end, 5u);
  EXPECT_EQ(places[0].mark_start, 6u);
  EXPECT_EQ(places[0].mark_end, 30u);
  EXPECT_FLOAT_EQ(places[0].box.y1, 0.17f);
  EXPECT_FLOAT_EQ(places[0].box.x2, 0.88f);
}

TEST(Grounding, LabelsEndAtJoiningWordsAndPunctuation) {
  const std::string place = " [0.1, 0.2, 0.3, 0.4]";
  const auto label = [&](const std::string& before) { return find_places(before + place).at(0).label; };
  EXPECT_EQ(label("There is a small red car"), "small red car");
  EXPECT_EQ(label("A dog and the traffic light"), "traffic light");
  EXPECT_EQ(label("Yes, it is here. Two horses"), "horses");
  EXPECT_EQ(label("I see:\ntennis racket"), "tennis racket");
  EXPECT_EQ(label("un garçon"), "un garçon");
  EXPECT_EQ(label(""), "");
  EXPECT_EQ(label("The"), "");
  EXPECT_EQ(label("one two three alpha beta gamma delta epsilon zeta"), "beta gamma delta epsilon zeta");
}

TEST(Grounding, SeveralPlacesOfOnePhrase) {
  const auto places = find_places("Two dogs [0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5] and [0.1, 0.1, 0.2, 0.2]. [0.3, 0.3, 0.4, 0.4]");
  ASSERT_EQ(places.size(), 4u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(places[i].label, "dogs") << i;
  EXPECT_EQ(places[3].label, "");
  EXPECT_EQ(places[3].start, places[3].end);
}

TEST(Grounding, TolerantOfSpacingStrictAboutNumbers) {
  EXPECT_EQ(find_places("[0.1,0.2,0.3,0.4]").size(), 1u);
  EXPECT_EQ(find_places("[ .1 , 0.2345,1 ,1.00 ]").size(), 1u);
  for (const char* text :
       {"[0.1, 0.2, 0.3]", "[0.1, 0.2, 0.3, 0.4, 0.5]", "[100, 200, 300, 400]", "[1.5, 0, 1, 1]", "[0.12345, 0, 1, 1]", "[-0.1, 0, 1, 1]",
        "[., 0, 1, 1]", "[0.1 0.2 0.3 0.4]", "[nan, 0, 1, 1]", "[1e-1, 0, 1, 1]", "[0.1, 0.2, 0.3, 0.4", "[[[[", "[,,,]", "["})
    EXPECT_TRUE(find_places(text).empty()) << text;
  EXPECT_EQ(find_places("[[0.1, 0.2, 0.3, 0.4]]").size(), 1u);
}

TEST(Grounding, MarksBecomePlaces) {
  const auto all = objects();
  EXPECT_EQ(whole("[1]", all), "[0.00, 0.17, 0.88, 0.85]");
  EXPECT_EQ(whole("A cup [2].", all), "A cup [0.28, 0.20, 0.69, 0.60].");
  EXPECT_EQ(whole("[3] [0] [] [1 [12] [123] [1a] [[2]", all), "[3] [0] [] [1 [12] [123] [1a] [[0.28, 0.20, 0.69, 0.60]");
  EXPECT_EQ(whole("[0.31, 0.33, 0.59, 0.54]", all), "[0.31, 0.33, 0.59, 0.54]");
  EXPECT_EQ(whole("[1]", {}), "[1]");
  MarkRewriter rewriter(all);
  rewriter.push("A cup [2] and a cat [1]");
  ASSERT_EQ(rewriter.pointed().size(), 2u);
  EXPECT_EQ(rewriter.pointed()[0].at, 6u);
  EXPECT_EQ(rewriter.pointed()[0].object, 1u);
  EXPECT_EQ(rewriter.pointed()[1].at, 30u + 11u);
}

TEST(Grounding, PlacesBecomeMarksAgain) {
  const std::vector<Object> three = {{{0.1f, 0.2f, 0.5f, 0.65f}, 0.9f, "cat"}, {{0, 0, 1, 1}, 0.8f, ""}, {{0.104f, 0.203f, 0.5f, 0.65f}, 0.8f, ""}};
  const std::string pointed = "A cat [1] on a mat [2], not [7], [0.5] or [x] [";
  EXPECT_EQ(places_to_marks(whole(pointed, three), three), pointed);
  EXPECT_EQ(places_to_marks("[0.1,.2, 0.5, 0.65][0.01, 0, 1, 1]", three), "[1][2]");  // other digits, the same place
  EXPECT_EQ(places_to_marks("[0.10, 0.20, 0.50, 0.65]", std::span(three).subspan(2)), "[1]");  // written alike
  const std::string elsewhere = "[0.10, 0.20, 0.50, 0.60] [0.20, 0.30, 0.40, 0.50]";
  EXPECT_EQ(places_to_marks(elsewhere, three), elsewhere);
  EXPECT_EQ(places_to_marks(whole(pointed, three), {}), whole(pointed, three));
}

TEST(Grounding, StreamedEqualsWhole) {
  std::mt19937 random(7);
  const auto all = objects();
  const std::string alphabet = "[[[]]12 3a.,é\n";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (size_t i = 0; i < random() % 30; ++i) text += alphabet[random() % alphabet.size()];
    MarkRewriter rewriter(all);
    std::string streamed;
    for (size_t at = 0; at < text.size();) {
      const size_t count = std::min<size_t>(1 + random() % 3, text.size() - at);
      streamed += rewriter.push(std::string_view(text).substr(at, count));
      at += count;
    }
    streamed += rewriter.finish();
    ASSERT_EQ(streamed, whole(text, all)) << text;
    for (const MarkRewriter::Pointed& pointed : rewriter.pointed())
      EXPECT_EQ(streamed.substr(pointed.at, 24), write_place(all[pointed.object].box));
    find_places(streamed);
  }
}

TEST(Grounding, PixelsOfTheUprightPicture) {
  float pixels[4];
  ASSERT_TRUE(to_pixels({0.25f, 0.5f, 0.75f, 1.0f}, 200, 100, pixels));  // padded by 50 at the top
  EXPECT_FLOAT_EQ(pixels[0], 50);
  EXPECT_FLOAT_EQ(pixels[1], 50);
  EXPECT_FLOAT_EQ(pixels[2], 150);
  EXPECT_FLOAT_EQ(pixels[3], 100);
  ASSERT_TRUE(to_pixels({0.9f, 0.9f, 0.1f, 0.1f}, 100, 100, pixels));  // swapped corners
  EXPECT_FLOAT_EQ(pixels[0], 10);
  EXPECT_FLOAT_EQ(pixels[3], 90);
  EXPECT_FALSE(to_pixels({0, 0, 1, 0.2f}, 200, 100, pixels));  // only padding
  EXPECT_FALSE(to_pixels({0.5f, 0.5f, 0.5f, 0.9f}, 100, 100, pixels));
  EXPECT_FALSE(to_pixels({NAN, 0, 1, 1}, 100, 100, pixels));
}

TEST(Grounding, ThereAndBack) {
  for (const auto& [width, height] : {std::pair{200, 101}, {77, 240}, {64, 64}}) {
    const float wanted[4] = {3.5f, 10, 60, 64};
    float pixels[4];
    ASSERT_TRUE(to_pixels(to_square(wanted, width, height), width, height, pixels));
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(pixels[i], wanted[i], 1e-3);
  }
}

}  // namespace
}  // namespace lava::text
