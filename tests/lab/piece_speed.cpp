// How fast threads read memory together when each takes every n-th piece of it: what cutting the rows of a matrix, instead of the matrix, would cost.
// usage: piece_speed [threads]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "kernels/ops.h"

using namespace lava;
using Clock = std::chrono::steady_clock;

namespace {

uint64_t sum_of(const std::byte* p, size_t bytes) {
  const auto* words = reinterpret_cast<const uint64_t*>(p);
  uint64_t sum[8] = {};
  for (size_t i = 0; i + 8 <= bytes / 8; i += 8) {
    for (size_t k = 0; k < 8; ++k) sum[k] ^= words[i + k];
  }
  return sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7];
}

double seconds_of(const std::byte* memory, size_t size, size_t piece, size_t threads) {
  std::vector<uint64_t> sums(threads);
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> all;
    for (size_t t = 0; t < threads; ++t) {
      all.emplace_back([&, t] {
        for (size_t at = t * piece; at + piece <= size; at += threads * piece) sums[t] ^= sum_of(memory + at, piece);
      });
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  volatile uint64_t sink = 0;
  for (const uint64_t sum : sums) sink = sink ^ sum;  // or nothing would be read
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr size_t size = size_t{600} << 20, rounds = 15;
  const auto threads = static_cast<size_t>(argc > 1 ? std::max(1, std::atoi(argv[1])) : 2);
  auto device = make_cpu_device({});
  auto memory = device ? (*device)->allocate(size) : tl::unexpected<Error>(device.error());
  if (!memory) return std::puts(memory.error().message().c_str()), 1;
  std::fill_n((*memory)->data(), size, std::byte{1});
  for (const size_t piece : {size / threads, size_t{1} << 20, size_t{49536}, size_t{18432}, size_t{9216}, size_t{4096}}) {
    std::vector<double> times(rounds);
    for (double& t : times) t = seconds_of((*memory)->data(), size, piece, threads);
    std::sort(times.begin(), times.end());
    std::printf("pieces of %9zu bytes: %.1f GB/s (%.1f-%.1f)\n", piece, 1e-9 * size / times[rounds / 2], 1e-9 * size / times.back(), 1e-9 * size / times.front());
  }
}
