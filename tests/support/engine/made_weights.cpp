#include "tests/support/engine/made_weights.h"

#include <cmath>
#include <cstdint>
#include <cstring>

#include "tests/support/engine/files.h"

namespace lava::test {
namespace {

std::vector<float> made_tensor(const std::string& name, const std::vector<size_t>& shape) {
  size_t count = 1;
  for (const size_t extent : shape) count *= extent;
  std::vector<float> values = made_numbers(name, count);
  const float weight = static_cast<float>(1.5 / std::sqrt(static_cast<double>(count / shape[0])));
  const bool around_one = name.ends_with("deviation");
  for (float& v : values) v = name.ends_with(".weight") ? v * weight : around_one ? v * 0.5f + 1 : v * 0.25f;
  return values;
}

}  // namespace

std::vector<float> made_numbers(const std::string& name, size_t count) {
  uint32_t seed = 2166136261u;
  for (const char byte : name) seed = (seed ^ static_cast<uint8_t>(byte)) * 16777619u;
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    uint32_t x = static_cast<uint32_t>(i) * 2654435761u + seed;
    x ^= x >> 16, x *= 0x85EBCA6Bu, x ^= x >> 13, x *= 0xC2B2AE35u, x ^= x >> 16;
    values[i] = static_cast<float>(x >> 8) / static_cast<float>(1 << 23) - 1;
  }
  return values;
}

void write_made_weights(const std::filesystem::path& path, const nlohmann::json& shapes) {
  nlohmann::json header;
  std::string body;
  for (const auto& [name, shape] : shapes.items()) {
    const std::vector<float> values = made_tensor(name, shape.get<std::vector<size_t>>());
    const size_t at = body.size();
    body.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {at, body.size()}}};
  }
  const std::string text = header.dump();
  const uint64_t length = text.size();
  std::string file(sizeof(length), '\0');
  std::memcpy(file.data(), &length, sizeof(length));
  write_text(path, file + text + body);
}

nlohmann::json write_made_vision(const std::filesystem::path& folder, const nlohmann::json& cases) {
  const std::filesystem::path models = std::filesystem::path(LAVA_SOURCE_DIR) / "resources/models";
  write_made_weights(folder / "proposals.safetensors", cases["proposals"]);
  write_made_weights(folder / "connector.safetensors", cases["connector"]);
  write_text(folder / "config.json", cases["config"].dump());
  return {{"encoder", "detector_regions"},
          {"encoder_file", (models / "ssdlite/ssdlite-mobilenet-v2-coco.safetensors").string()},
          {"classifier_file", (models / "default/classifier.safetensors").string()},
          {"proposals_file", "proposals.safetensors"},
          {"connector", "object_words"},
          {"connector_file", "connector.safetensors"}};
}

}  // namespace lava::test
