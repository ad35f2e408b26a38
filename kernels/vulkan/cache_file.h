// The driver's pipelines on disk: $XDG_CACHE_HOME/lavascope/vulkan/<device>-<driver>.bin, with a checksum, because drivers trust what they are given.
#pragma once
#include <string>
#include <string_view>

#include "kernels/vulkan/gpu.h"

namespace lava::vulkan {

std::string cache_file_path(const Abilities& device);  // empty: there is no home
std::string read_cache_file(const std::string& path);  // empty: not there, or damaged
void write_cache_file(const std::string& path, std::string_view data);  // whole or not at all

}  // namespace lava::vulkan
