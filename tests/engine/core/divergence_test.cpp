// Divergence and surprisal against values worked out by hand.
#include "engine/core/divergence.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace lava::test {
namespace {

TEST(Divergence, SurprisalOfKnownProbabilities) {
  const std::array<float, 3> logits{std::log(2.0f), std::log(1.0f), std::log(5.0f)};  // 1/4, 1/8, 5/8
  EXPECT_NEAR(surprisal(logits, 0), std::log(4.0), 1e-6);
  EXPECT_NEAR(surprisal(logits, 1), std::log(8.0), 1e-6);
  EXPECT_NEAR(surprisal(logits, 2), std::log(1.6), 1e-6);
}

TEST(Divergence, OfKnownDistributions) {
  const std::array<float, 2> half{0, 0}, quarter{0, std::log(3.0f)};
  EXPECT_NEAR(gap_between(half, quarter).divergence, 0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3.0), 1e-6);
  EXPECT_NEAR(gap_between(quarter, half).divergence, 0.25 * std::log(0.5) + 0.75 * std::log(1.5), 1e-6);
}

TEST(Divergence, AShiftOfAllLogitsIsNone) {
  const std::array<float, 4> logits{-300, 12, 700, 699}, shifted{-100, 212, 900, 899};
  EXPECT_EQ(gap_between(logits, logits).divergence, 0);
  EXPECT_NEAR(gap_between(logits, shifted).divergence, 0, 1e-12);
  EXPECT_NEAR(surprisal(logits, 2), std::log1p(std::exp(-1.0)), 1e-12);
}

TEST(Divergence, LargeLogitsOfUnlikelyTokensDoNotOverflow) {
  const std::array<float, 2> sure{0, -2000}, unsure{0, 0};
  EXPECT_NEAR(gap_between(sure, unsure).divergence, std::log(2.0), 1e-12);
  EXPECT_NEAR(gap_between(unsure, sure).divergence, 1000 - std::log(2.0), 1e-9);
}

TEST(Divergence, TheLikeliestTokenIsCompared) {
  EXPECT_TRUE(gap_between(std::array<float, 3>{1, 3, 2}, std::array<float, 3>{2, 2.5f, 2}).same_best);
  EXPECT_FALSE(gap_between(std::array<float, 3>{1, 3, 2}, std::array<float, 3>{2, 2.5f, 2.6f}).same_best);
}

TEST(Divergence, Summary) {
  std::vector<Gap> gaps;
  for (int i = 200; i >= 0; --i) gaps.push_back({i * 0.5, i % 4 != 0});
  const GapSummary summary = summarise(gaps);
  EXPECT_DOUBLE_EQ(summary.mean, 50);
  EXPECT_DOUBLE_EQ(summary.median, 50);
  EXPECT_DOUBLE_EQ(summary.p99, 99);
  EXPECT_DOUBLE_EQ(summary.largest, 100);
  EXPECT_DOUBLE_EQ(summary.same_best, 150.0 / 201);
  EXPECT_DOUBLE_EQ(summarise(std::array<Gap, 1>{{{3, false}}}).p99, 3);
}

}  // namespace
}  // namespace lava::test
