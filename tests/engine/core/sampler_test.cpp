#include "engine/core/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "engine/core/stop_strings.h"

namespace lava {
namespace {

std::map<int32_t, int> draw(const Sampling& sampling, const std::vector<float>& logits, int count, std::vector<bool> masked = {}) {
  Sampler sampler(sampling, static_cast<int>(logits.size()), std::move(masked));
  std::map<int32_t, int> counts;
  for (int i = 0; i < count; ++i) ++counts[sampler.pick(logits).value()];
  return counts;
}

TEST(Sampler, GreedyTakesTheLowestOfEqualIds) {
  EXPECT_EQ(draw({}, {1, 5, 5, 2}, 1).begin()->first, 1);
  EXPECT_EQ(draw({}, {1, 5, 5, 2}, 1, {false, true, false, false}).begin()->first, 2);
}

TEST(Sampler, LogitsThatAreNoNumbersAreAnError) {
  EXPECT_TRUE(check_logits(std::vector<float>{0, -INFINITY, 3}));
  for (const float bad : {NAN, static_cast<float>(INFINITY)}) {
    const auto checked = check_logits(std::vector<float>{0, bad, 3});
    ASSERT_FALSE(checked);
    EXPECT_FALSE(checked.error().remedy.empty());
    EXPECT_FALSE(Sampler({}, 3).pick(std::vector<float>{0, bad, 3}));
  }
}

TEST(Sampler, SameSeedSameTokens) {
  const std::vector<float> logits{0.1f, 0.7f, 0.3f, 0.2f, 0.9f};
  const auto run = [&](uint64_t seed) {
    Sampler sampler({.temperature = 1, .seed = seed}, 5);
    std::vector<int32_t> ids;
    for (int i = 0; i < 40; ++i) ids.push_back(sampler.pick(logits).value());
    return ids;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(Sampler, RandomNumbersAreThoseOfThePublishedGenerator) {
  Random random(0);  // splitmix64(0) begins e220a8397b1dcdaf, 6e789e6aa1b965f4
  const uint64_t expected = ((0x6e789e6aa1b965f4u * 5 << 7) | (0x6e789e6aa1b965f4u * 5 >> 57)) * 9;
  EXPECT_EQ(random.next(), expected);
}

TEST(Sampler, FrequenciesFollowTheSoftmax) {
  const std::vector<float> logits{std::log(1.0f), std::log(2.0f), std::log(5.0f), -INFINITY};
  auto counts = draw({.temperature = 1, .seed = 5}, logits, 40000);
  EXPECT_NEAR(counts[0] / 40000.0, 0.125, 0.01);
  EXPECT_NEAR(counts[1] / 40000.0, 0.25, 0.01);
  EXPECT_NEAR(counts[2] / 40000.0, 0.625, 0.01);
  EXPECT_EQ(counts.count(3), 0u);
  counts = draw({.temperature = 0.5f, .seed = 5}, logits, 40000);  // probabilities squared
  EXPECT_NEAR(counts[2] / 40000.0, 25.0 / 30, 0.01);
}

TEST(Sampler, CutsKeepTheBest) {
  const std::vector<float> logits{std::log(0.5f), std::log(0.3f), std::log(0.15f), std::log(0.05f)};
  EXPECT_EQ(draw({.temperature = 1, .top_k = 2, .seed = 1}, logits, 3000).size(), 2u);
  EXPECT_EQ(draw({.temperature = 1, .top_p = 0.6f, .seed = 1}, logits, 3000).size(), 2u);
  EXPECT_EQ(draw({.temperature = 1, .top_p = 0, .seed = 1}, logits, 300).size(), 1u);
  EXPECT_EQ(draw({.temperature = 1, .min_p = 0.25f, .seed = 1}, logits, 3000).size(), 3u);
  EXPECT_EQ(draw({.temperature = 1, .min_p = 1, .seed = 1}, logits, 300).size(), 1u);
}

TEST(Sampler, RepetitionPenalty) {
  Sampler sampler({.repetition_penalty = 2}, 3);
  sampler.saw(1);
  EXPECT_EQ(sampler.pick(std::vector<float>{3, 5, 1}).value(), 0);        // 5 / 2
  EXPECT_EQ(sampler.pick(std::vector<float>{-3, -2, -3.5f}).value(), 0);  // -2 * 2
}

TEST(Sampler, NumbersThatAreNoneAreAnError) {
  for (const float temperature : {0.0f, 1.0f}) {
    Sampler sampler({.temperature = temperature, .seed = 1}, 3);
    for (const std::vector<float>& logits : {std::vector<float>{1, NAN, 2}, {1, INFINITY, 2}, {-INFINITY, -INFINITY, -INFINITY}}) {
      const auto picked = sampler.pick(logits);
      ASSERT_FALSE(picked);
      EXPECT_NE(picked.error().message().find("not a number"), std::string::npos);
    }
  }
}

TEST(Sampler, FieldsOutOfRangeAreNamed) {
  EXPECT_TRUE(check_sampling({}));
  for (const Sampling& bad : {Sampling{.temperature = -1}, Sampling{.temperature = NAN}, Sampling{.top_k = -1}, Sampling{.top_p = 1.5f},
                              Sampling{.min_p = -0.1f}, Sampling{.repetition_penalty = 0}}) {
    EXPECT_FALSE(check_sampling(bad));
  }
  EXPECT_NE(check_sampling({.top_p = 2}).error().what.find("top_p"), std::string::npos);
}

TEST(Sampler, LogProbabilitiesSumToOne) {
  const LogProbabilities logs = log_probabilities(std::vector<float>{1, 2, 3, 100}, 2, 4);
  EXPECT_NEAR(logs.chosen, -97, 1e-4);
  ASSERT_EQ(logs.top.size(), 4u);
  EXPECT_EQ(logs.top[0].first, 3);
  double sum = 0;
  for (const auto& [id, value] : logs.top) sum += std::exp(value);
  EXPECT_NEAR(sum, 1, 1e-6);
}

TEST(StopStrings, HeldBackAndCut) {
  StopStrings stops({"STOP", "END", ""});
  EXPECT_EQ(stops.push("abc ST"), "abc ");
  EXPECT_EQ(stops.push("AR E"), "STAR ");
  EXPECT_EQ(stops.push("N"), "");
  EXPECT_EQ(stops.push("D rest"), "");
  EXPECT_TRUE(stops.stopped());
  EXPECT_EQ(stops.push("more"), "");
  EXPECT_EQ(stops.finish(), "");
  StopStrings other({"aab"});
  EXPECT_EQ(other.push("aa"), "");
  EXPECT_EQ(other.push("aa"), "aa");
  EXPECT_EQ(other.finish(), "aa");
}

}  // namespace
}  // namespace lava
