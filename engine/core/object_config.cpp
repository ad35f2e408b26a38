#include "engine/core/object_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/encoders/detector_regions.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"

namespace lava {
namespace {

constexpr size_t max_words = 20'000;

tl::unexpected<Error> unusable(std::string cause) {
  return fail(Error::Kind::invalid, "The configuration of the object projector is not usable", std::move(cause), "Install the program again");
}

Result<std::vector<std::string>> read_words(const nlohmann::json& config, const char* key) {
  const nlohmann::json* list = io::member(config, key);
  if (!list || !list->is_array() || list->empty() || list->size() > max_words) return unusable(fmt::format("it has no list of {}", key));
  std::vector<std::string> result;
  for (const nlohmann::json& word : *list) {
    const std::string* text = word.get_ptr<const std::string*>();
    if (!text || text->empty()) return unusable(fmt::format("an entry of {}", key));
    result.push_back(*text);
  }
  return result;
}

// Names of the detector's classes 1 to `classes`; empty where an id has none.
Result<std::vector<std::string>> read_classes(const nlohmann::json& config, int classes) {
  const nlohmann::json* names = io::member(config, "coco");
  if (!names) return unusable("it has no names of the classes");
  std::vector<std::string> result;
  for (int id = 1; id <= classes; ++id) {
    LAVA_TRY(std::string name, io::string_in(*names, std::to_string(id), ""));
    result.push_back(std::move(name));
  }
  return result;
}

// One index into the nouns per class, -1 for none.
Result<std::vector<int>> read_indices(const nlohmann::json& config, const char* key, size_t count, size_t nouns) {
  const nlohmann::json* list = io::member(config, key);
  if (!list || !list->is_array() || list->size() != count) return unusable(fmt::format("it has no list of {} numbers, {}", count, key));
  std::vector<int> result;
  for (const nlohmann::json& entry : *list) {
    const bool integer = entry.is_number_integer() && (!entry.is_number_unsigned() || entry.get<uint64_t>() < max_words);
    const int64_t index = integer ? entry.get<int64_t>() : -2;
    if (index < -1 || index >= static_cast<int64_t>(nouns)) return unusable(fmt::format("an entry of {} names no noun", key));
    result.push_back(static_cast<int>(index));
  }
  return result;
}

}  // namespace

Result<ssd::Rules> read_proposal_rules(const nlohmann::json& config) {
  ssd::Rules rules;
  const nlohmann::json* object = io::member(config, "proposals");
  if (!object) return rules;
  LAVA_TRY(const double threshold, io::real_in(*object, "threshold", 0, 1, rules.threshold));
  LAVA_TRY(const double iou, io::real_in(*object, "iou", 0, 1, rules.iou));
  LAVA_TRY(const double area, io::real_in(*object, "min_area", 0, 1, rules.min_area));
  LAVA_TRY(const int64_t max, io::int_in(*object, "max", 1, 9, rules.max));
  LAVA_TRY(const int64_t candidates, io::int_in(*object, "candidates", 1, 100'000, rules.candidates));
  rules.threshold = static_cast<float>(threshold), rules.iou = static_cast<float>(iou), rules.min_area = static_cast<float>(area);
  rules.max = static_cast<int>(max), rules.candidates = static_cast<int>(candidates);
  return rules;
}

Result<ObjectWordsConfig> read_object_words(const nlohmann::json& config) {
  ObjectWordsConfig result;
  LAVA_TRY(result.nouns, read_words(config, "nouns"));
  LAVA_TRY(result.colours, read_words(config, "colours"));
  LAVA_TRY(const std::vector<std::string> classes, read_classes(config, DetectorRegions::detector_classes));
  for (const std::string& name : classes) {
    const auto noun = std::find(result.nouns.begin(), result.nouns.end(), name);
    result.detector.push_back(name.empty() || noun == result.nouns.end() ? -1 : static_cast<int>(noun - result.nouns.begin()));
  }
  LAVA_TRY(result.classifier, read_indices(config, "imagenet", EfficientnetLite::classes, result.nouns.size()));
  return result;
}

}  // namespace lava
