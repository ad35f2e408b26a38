// What a model's files say about its views, checked; and the partitioner made from it.
#pragma once
#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/io/gguf.h"
#include "engine/partition/partitioner.h"
#include "engine/partition/unpad.h"

namespace lava {

// How a single view is made of the whole picture.
enum class Fit : uint8_t { pad, centre_crop, squash };

struct PartitionConfig {
  std::string method = "single";  // a name of partitioner_names()
  Fit fit = Fit::pad;             // of single views
  int side = 0;                   // of every view, pixels
  int shortest_edge = 0;          // centre_crop: the shorter side before the crop; 0 = side
  std::vector<Size> resolutions;  // anyres: what the tiles may add up to, in the model's order (it decides ties)
  int max_tiles = 0;              // anyres_max_N
  PackMode pack = PackMode::flat;
  media::Filter filter = media::Filter::bicubic;
  std::array<float, 3> mean{}, std{1, 1, 1};
  media::Colour padding{};  // int(mean * 255), around single views
};

// A Hugging Face folder (processor_config.json or preprocessor_config.json beside config.json) or a folder in the original LLaVA layout.
Result<PartitionConfig> read_partition_config(const std::filesystem::path& folder);
// The same from parsed files; pass nullptr for a file that does not exist.
Result<PartitionConfig> partition_config(const nlohmann::json& config, const nlohmann::json* processor);
// The clip.vision.* settings of a projector file.
Result<PartitionConfig> partition_config(const io::Gguf& mmproj);

Result<std::unique_ptr<Partitioner>> make_partitioner(const PartitionConfig& config);
std::vector<std::string> partitioner_names();

}  // namespace lava
