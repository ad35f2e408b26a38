// Weights that follow from a tensor's name, the same as in tests/goldens/make_region_cases.py, so that no file of them is needed.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lava::test {

// Numbers in -1..1 that depend on the name and the place only.
std::vector<float> made_numbers(const std::string& name, size_t count);
// shapes: {name: [extents]}, written as float32.
void write_made_weights(const std::filesystem::path& path, const nlohmann::json& shapes);

// The vision half of the default model with made-up weights of width 64: writes its files to the folder and gives the "vision" of model.json.
// `cases`: tests/fixtures/regions/cases.json.
nlohmann::json write_made_vision(const std::filesystem::path& folder, const nlohmann::json& cases);

}  // namespace lava::test
