// Small files of our own that are taken for what they say only as a whole: their text stands behind its SHA-256.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "kernels/result.h"

namespace lava::io {

// nullopt: there is none, or it is not as it was written.
std::optional<std::string> read_sealed(const std::filesystem::path& path);
Result<void> write_sealed(const std::filesystem::path& path, const std::string& text);

}  // namespace lava::io
