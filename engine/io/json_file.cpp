#include "engine/io/json_file.h"

#include <fmt/format.h>

#include <cmath>
#include <unordered_set>

#include "engine/io/mapped_file.h"
#include "engine/io/names.h"

namespace lava::io {
namespace {

using nlohmann::json;

// Depth and number of values, counted before anything is built: a hostile text must not first fill the memory.
Result<void> check_shape(std::string_view text, const std::string& source, const JsonLimits& limits) {
  int depth = 0;
  size_t values = 1;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == ',' || c == '[' || c == '{') ++values;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > limits.max_depth)
      return fail(Error::Kind::too_large, source + " is nested too deeply", fmt::format("more than {} levels", limits.max_depth));
    if (values > limits.max_values)
      return fail(Error::Kind::too_large, source + " holds too many values", fmt::format("more than {}", limits.max_values));
  }
  return {};
}

tl::unexpected<Error> wrong(std::string_view key, std::string cause) {
  return fail(Error::Kind::invalid, fmt::format("The setting \"{}\" cannot be used", printable(key)), std::move(cause));
}

tl::unexpected<Error> absent(std::string_view key) {
  return fail(Error::Kind::invalid, fmt::format("The setting \"{}\" is missing", printable(key)));
}

std::string type_of(const json& value) { return std::string("it is ") + value.type_name(); }

std::optional<int64_t> as_integer(const json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    return number <= static_cast<uint64_t>(INT64_MAX) ? std::optional(static_cast<int64_t>(number)) : std::nullopt;
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    if (std::abs(number) <= 9007199254740992.0 && number == std::trunc(number)) return static_cast<int64_t>(number);
  }
  return std::nullopt;
}

}  // namespace

Result<json> parse_json(std::string_view text, const std::string& source, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes)
    return fail(Error::Kind::too_large, source + " is too large",
                fmt::format("{} bytes, at most {} are read", text.size(), limits.max_bytes));
  LAVA_CHECK_OK(check_shape(text, source, limits));
  try {
    std::unordered_set<std::string> seen;
    std::string twice;
    json::parser_callback_t watch;
    if (limits.unique_keys) {
      watch = [&](int depth, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::key && depth == 1 && !seen.insert(value.get<std::string>()).second)
          twice = value.get<std::string>();
        return true;
      };
    }
    json parsed = json::parse(text.begin(), text.end(), watch);
    if (!twice.empty()) return fail(Error::Kind::invalid, source + " is damaged", "the key \"" + printable(twice) + "\" stands twice");
    return parsed;
  } catch (const json::parse_error& error) {
    return fail(Error::Kind::invalid, source + " is not valid JSON", fmt::format("an error at byte {}", error.byte),
                "Download or copy it again");
  } catch (const std::exception& error) {
    return fail(Error::Kind::invalid, source + " cannot be read", printable(error.what()));
  }
}

Result<json> read_json(const std::filesystem::path& path, const JsonLimits& limits) {
  LAVA_TRY(const MappedFile file, MappedFile::open(path));
  return parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.size()}, path.string(), limits);
}

Result<std::string> read_text(const std::filesystem::path& path, size_t max_bytes) {
  LAVA_TRY(const MappedFile file, MappedFile::open(path));
  if (file.size() > max_bytes)
    return fail(Error::Kind::too_large, path.string() + " is too large",
                fmt::format("{} bytes, at most {} are read", file.size(), max_bytes));
  return std::string(reinterpret_cast<const char*>(file.bytes().data()), file.size());
}

const json* member(const json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(key));
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<int64_t> int_in(const json& object, std::string_view key, int64_t min, int64_t max, std::optional<int64_t> fallback) {
  const json* value = member(object, key);
  if (!value) return fallback ? Result<int64_t>(*fallback) : absent(key);
  if (!value->is_number()) return wrong(key, type_of(*value) + ", not a whole number");
  const auto number = as_integer(*value);
  if (!number) return wrong(key, "it is not a whole number that fits");
  if (*number < min || *number > max) return wrong(key, fmt::format("it is {}, allowed are {} to {}", *number, min, max));
  return *number;
}

Result<double> real_in(const json& object, std::string_view key, double min, double max, std::optional<double> fallback) {
  const json* value = member(object, key);
  if (!value) return fallback ? Result<double>(*fallback) : absent(key);
  if (!value->is_number()) return wrong(key, type_of(*value) + ", not a number");
  const auto number = value->get<double>();
  if (!(number >= min && number <= max)) return wrong(key, fmt::format("it is {}, allowed are {} to {}", number, min, max));
  return number;
}

Result<bool> bool_in(const json& object, std::string_view key, std::optional<bool> fallback) {
  const json* value = member(object, key);
  if (!value) return fallback ? Result<bool>(*fallback) : absent(key);
  if (!value->is_boolean()) return wrong(key, type_of(*value) + ", not true or false");
  return value->get<bool>();
}

Result<std::string> string_in(const json& object, std::string_view key, std::optional<std::string> fallback) {
  const json* value = member(object, key);
  if (!value) return fallback ? Result<std::string>(std::move(*fallback)) : absent(key);
  if (!value->is_string()) return wrong(key, type_of(*value) + ", not a text");
  return value->get<std::string>();
}

Result<std::vector<double>> reals_in(const json& object, std::string_view key, size_t min_count, size_t max_count) {
  const json* value = member(object, key);
  if (!value) return absent(key);
  if (!value->is_array()) return wrong(key, type_of(*value) + ", not a list");
  if (value->size() < min_count || value->size() > max_count)
    return wrong(key, fmt::format("it has {} entries, allowed are {} to {}", value->size(), min_count, max_count));
  std::vector<double> numbers;
  for (const json& entry : *value) {
    if (!entry.is_number()) return wrong(key, "an entry is not a number");
    numbers.push_back(entry.get<double>());
  }
  return numbers;
}

}  // namespace lava::io
