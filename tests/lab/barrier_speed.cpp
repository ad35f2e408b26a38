// What an op costs beyond its work: a recording of many ops that do next to nothing, each with its barrier.
// usage: barrier_speed [threads]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/ops.h"

using namespace lava;
using Clock = std::chrono::steady_clock;

int main(int argc, char** argv) {
  constexpr int ops = 2000, rounds = 500;
  CpuOptions options;
  if (argc > 1) options.threads = std::atoi(argv[1]);
  auto device = make_cpu_device(options);
  if (!device) return std::puts(device.error().message().c_str()), 1;
  constexpr int64_t each = 256;  // lanes write lines of their own
  std::vector<float> values(2 * each);
  Arena arena(reinterpret_cast<std::byte*>(values.data()), 0);
  Run run{**device, arena};
  const Tensor x(DType::f32, {each}, values.data()), y(DType::f32, {each}, values.data() + each);
  const auto recording = (*device)->record([&] {
    for (int i = 0; i < ops; ++i) ops::add(run, x, x, y);
  });
  std::vector<double> times(rounds);
  for (double& t : times) {
    const auto begin = Clock::now();
    recording->replay();
    t = std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / ops;
  }
  std::sort(times.begin(), times.end());
  std::printf("%s, %d threads: %.0f ns an op (median of %d; best %.0f, one in ten above %.0f)\n", (*device)->info().name.c_str(), (*device)->info().threads, times[rounds / 2], rounds, times[0],
              times[rounds * 9 / 10]);
}
