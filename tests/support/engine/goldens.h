// The recorded answers in tests/fixtures/transformers and text_models, and comparing with them.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace lava::test {

struct Golden {
  std::string name, prompt;
  std::vector<std::string> pictures;
  std::vector<int32_t> prompt_ids, greedy;
  int expanded = 0;  // rows after expansion
  nlohmann::json all;
};

std::filesystem::path fixture(const std::string& path);       // below tests/fixtures
std::vector<Golden> read_goldens(const std::string& folder);  // with expect.json
nlohmann::json read_fixture_json(const std::string& path);

// Top ten and statistics of the last logits; `tolerance` relative to max(1, |value|).
void expect_logits(const Golden& golden, std::span<const float> logits, double tolerance);
int32_t best_id(std::span<const float> logits);

}  // namespace lava::test
