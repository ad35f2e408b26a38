// Copying what is too much for one thread: a processor's core moves 5 to 15 GB/s, a graphics card takes several times that.
#pragma once
#include <cstddef>
#include <span>

namespace lava {

// As memcpy; large pieces by up to four threads.
void copy_together(std::byte* target, std::span<const std::byte> source);

}  // namespace lava
