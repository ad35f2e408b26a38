// How much of a model finds room on a device.
#pragma once
#include <cstddef>
#include <functional>

#include "kernels/device.h"
#include "kernels/result.h"

namespace lava {

// Bytes that the device gives now, at most `most`: taken in pieces, and given back.
size_t free_bytes(Device& device, size_t most);

// The largest count of 0 .. most whose need is at most `room`; `need` grows with the count and is not asked for 0.
Result<int> largest_that_fits(int most, size_t room, const std::function<Result<size_t>(int count)>& need);

}  // namespace lava
