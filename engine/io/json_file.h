// JSON from files and headers, with limits on size, depth and number of values, and getters that check every number.
#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/result.h"

namespace lava::io {

struct JsonLimits {
  size_t max_bytes = size_t{128} << 20;
  int max_depth = 64;
  size_t max_values = 16'000'000;
  bool unique_keys = false;  // refuse a key that stands twice in the outermost object
};

// `source` names the text in messages.
Result<nlohmann::json> parse_json(std::string_view text, const std::string& source, const JsonLimits& limits = {});
Result<nlohmann::json> read_json(const std::filesystem::path& path, const JsonLimits& limits = {});
// A whole small file as text (templates, merges).
Result<std::string> read_text(const std::filesystem::path& path, size_t max_bytes = size_t{64} << 20);

// The member, or nullptr when it is absent, null, or `object` is no object.
const nlohmann::json* member(const nlohmann::json& object, std::string_view key);

// Absent: the fallback if there is one, otherwise an error. Present with another type or out of range: always an error.
// A real that has an integer value counts as an integer.
Result<int64_t> int_in(const nlohmann::json& object, std::string_view key, int64_t min, int64_t max, std::optional<int64_t> fallback = {});
Result<double> real_in(const nlohmann::json& object, std::string_view key, double min, double max, std::optional<double> fallback = {});
Result<bool> bool_in(const nlohmann::json& object, std::string_view key, std::optional<bool> fallback = {});
Result<std::string> string_in(const nlohmann::json& object, std::string_view key, std::optional<std::string> fallback = {});
Result<std::vector<double>> reals_in(const nlohmann::json& object, std::string_view key, size_t min_count, size_t max_count);

}  // namespace lava::io
