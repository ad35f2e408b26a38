#include "engine/core/layer_fit.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace lava {
namespace {

// Devices limit the size of one allocation, and their number.
constexpr size_t largest_piece = size_t{64} << 20, least_piece = size_t{4} << 10;

}  // namespace

size_t free_bytes(Device& device, size_t most) {
  std::vector<std::unique_ptr<Buffer>> held;
  size_t bytes = 0;
  for (size_t piece = largest_piece; piece >= least_piece && bytes < most;) {
    const size_t wanted = std::min(piece, most - bytes);
    auto buffer = device.allocate(wanted, BufferUse::own);
    if (!buffer) {
      piece /= 2;
      continue;
    }
    held.push_back(std::move(*buffer));
    bytes += wanted;
  }
  return bytes;
}

Result<int> largest_that_fits(int most, size_t room, const std::function<Result<size_t>(int)>& need) {
  int fits = 0, does_not = most + 1;
  while (does_not - fits > 1) {
    const int count = (fits + does_not) / 2;
    LAVA_TRY(const size_t bytes, need(count));
    (bytes <= room ? fits : does_not) = count;
  }
  return fits;
}

}  // namespace lava
