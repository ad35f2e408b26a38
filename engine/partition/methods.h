// The methods that make_partitioner knows, one file each.
#pragma once
#include <memory>

#include "engine/partition/partition_config.h"

namespace lava {

std::unique_ptr<Partitioner> make_single(const PartitionConfig& config);
std::unique_ptr<Partitioner> make_anyres(const PartitionConfig& config);
std::unique_ptr<Partitioner> make_anyres_max(const PartitionConfig& config);

// One view of the whole picture.
View single_view(Size image, const PartitionConfig& config, Fit fit);
// 1 to 65,535 pixels a side.
Result<void> check_picture_size(Size image);

}  // namespace lava
