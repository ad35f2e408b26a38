// Checks that every source of partition settings shares.
#pragma once
#include <string_view>
#include <vector>

#include "engine/partition/partition_config.h"

namespace lava {

inline constexpr int least_side = 14, most_side = 4096, most_tiles = 100, most_resolutions = 256;
inline constexpr std::array<double, 3> clip_mean = {0.48145466, 0.4578275, 0.40821073}, clip_std = {0.26862954, 0.26130258, 0.27577711};

Result<void> set_colours(PartitionConfig& config, std::span<const double> mean, std::span<const double> std);
// Pairs as the file has them; `height_first` in the files of the transformers library, width first in the original ones.
Result<void> set_resolutions(PartitionConfig& config, const std::vector<std::pair<int64_t, int64_t>>& pairs, bool height_first);
// "(1x1),...,(6x6)" times the side, or "[[336, 672], [672, 336]]".
Result<std::vector<std::pair<int64_t, int64_t>>> parse_resolutions(std::string_view text, int side);
// N of "anyres_max_N".
Result<int> parse_max_tiles(std::string_view aspect);
PackMode pack_mode(std::string_view merge_type);  // mm_patch_merge_type

}  // namespace lava
