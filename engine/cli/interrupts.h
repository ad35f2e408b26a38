// Ctrl+C, SIGTERM and SIGHUP while a file is being made.
#pragma once
#include <filesystem>

namespace lava::cli {

// From now on the program removes this file, or this folder if nothing else is in it, when it is interrupted, and ends as one that was.
// At most eight; longer paths than the system opens are left out.
void remove_when_interrupted(const std::filesystem::path& path);

}  // namespace lava::cli
