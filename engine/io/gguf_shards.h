// Which files make up a GGUF model, and whether they belong together.
#pragma once
#include <filesystem>
#include <span>
#include <vector>

#include "engine/io/gguf_parse.h"
#include "kernels/result.h"

namespace lava::io {

// One file, or all shards in order when the name is NAME-00002-of-00003.gguf. The siblings are looked for beside the given name first, then
// beside the file that a symbolic link leads to (download caches use either form).
Result<std::vector<std::filesystem::path>> gguf_shards(const std::filesystem::path& path);

// The split.* settings of shard `index` agree with its name.
Result<void> check_shard(const GgufParts& parts, size_t index, std::span<const std::filesystem::path> shards);

}  // namespace lava::io
