#include "tests/support/engine/goldens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

namespace lava::test {

std::filesystem::path fixture(const std::string& path) { return std::filesystem::path(LAVA_SOURCE_DIR) / "tests/fixtures" / path; }

nlohmann::json read_fixture_json(const std::string& path) {
  std::ifstream file(fixture(path));
  EXPECT_TRUE(file.good()) << path;
  return nlohmann::json::parse(file);
}

std::vector<Golden> read_goldens(const std::string& folder) {
  std::vector<Golden> goldens;
  const nlohmann::json expect = read_fixture_json(folder + "/expect.json");
  for (const nlohmann::json& one : expect.at("cases")) {
    Golden golden{one.at("name"),
                  one.at("prompt"),
                  one.value("pictures", std::vector<std::string>()),
                  one.at("prompt_token_ids"),
                  one.at("greedy32"),
                  one.value("n_prompt_tokens_expanded", 0),
                  one};
    goldens.push_back(std::move(golden));
  }
  return goldens;
}

int32_t best_id(std::span<const float> logits) {
  return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void expect_logits(const Golden& golden, std::span<const float> logits, double tolerance) {
  const nlohmann::json& stats = golden.all.at("logits_last");
  ASSERT_EQ(logits.size(), stats.at("n").get<size_t>());
  const auto near = [&](double value, double wanted, const std::string& what) {
    EXPECT_NEAR(value, wanted, tolerance * std::max(1.0, std::abs(wanted))) << golden.name << ": " << what;
  };
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + 10, order.end(), [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  const nlohmann::json& top = golden.all.at("top10");
  for (size_t i = 0; i < top.size(); ++i) {
    near(logits[top[i][0].get<size_t>()], top[i][1], "logit of token " + top[i][0].dump());
    near(logits[static_cast<size_t>(order[i])], top[i][1], "rank " + std::to_string(i));
  }
  double sum = 0, magnitude = 0;
  for (const float value : logits) sum += value, magnitude += std::abs(value);
  near(sum / static_cast<double>(logits.size()), stats.at("mean"), "mean");
  near(magnitude / static_cast<double>(logits.size()), stats.at("mean_abs"), "mean of magnitudes");
  for (size_t i = 0; i < 8; ++i) near(logits[i], stats.at("first8")[i], "logit " + std::to_string(i));
}

}  // namespace lava::test
