// This program's calls of operator new, from all threads.
#pragma once
#include <cstdint>

namespace lava {
int64_t allocation_count();
}  // namespace lava
