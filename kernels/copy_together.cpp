#include "kernels/copy_together.h"

#include <algorithm>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

namespace lava {
namespace {

constexpr size_t least_share = size_t{2} << 20;  // of a thread: copying it takes ten times as long as starting one
constexpr size_t most_threads = 4;

}  // namespace

void copy_together(std::byte* target, std::span<const std::byte> source) {
  const size_t processors = std::max(1u, std::thread::hardware_concurrency());
  const size_t shares = std::clamp<size_t>(source.size() / least_share, 1, std::min(processors, most_threads));
  const auto edge = [&](size_t share) { return share == shares ? source.size() : source.size() / shares * share / 64 * 64; };
  const auto copy = [&](size_t share) {
    if (edge(share) < edge(share + 1)) std::memcpy(target + edge(share), source.data() + edge(share), edge(share + 1) - edge(share));
  };
  std::vector<std::jthread> helpers;
  size_t share = 1;
  try {
    for (; share < shares; ++share) helpers.emplace_back(copy, share);
  } catch (const std::system_error&) {  // no more threads: the rest is copied here
  }
  copy(0);
  for (; share < shares; ++share) copy(share);
}

}  // namespace lava
