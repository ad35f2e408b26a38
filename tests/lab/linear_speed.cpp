// Speed of linear for the shapes of a small language model: GOP/s with many rows, GB/s of weights with one.
// usage: linear_speed [threads] [isa] [seconds per case] [large]      large: shapes of a 7B model
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include "kernels/ops.h"

using namespace lava;
using Clock = std::chrono::steady_clock;

namespace {

// One thread is timed by the processor time that it got, so that other programs disturb less.
double now(bool processor_time) {
  timespec t;
  clock_gettime(processor_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Shape {
  DType format;
  Precision precision;
  int64_t out, in, rows;
};

// Best time of one call, over copies of the weights that together exceed the caches when there is one row.
double best_seconds(Device& device, const Shape& s, double budget) {
  const MatrixLayout layout = preferred_layout(s.format, s.precision, true);
  const size_t bytes = (packed_bytes(s.format, layout, s.out, s.in) + 63) / 64 * 64;
  const size_t copies = s.rows == 1 ? 1 + (size_t{160} << 20) / bytes : 1;
  auto weights = device.allocate(bytes * copies);
  auto values = device.allocate(static_cast<size_t>(s.rows * (s.in + s.out)) * 4 + 64);
  auto memory = device.allocate(size_t{64} << 20);
  if (!weights || !values || !memory) std::exit(1);
  for (size_t i = 0; i < bytes * copies; ++i) (*weights)->data()[i] = static_cast<std::byte>(i * 2654435761u >> 13 & 0x3f);
  auto* x = reinterpret_cast<float*>((*values)->data());
  for (int64_t i = 0; i < s.rows * s.in; ++i) x[i] = static_cast<float>(i % 17) - 8.0f;
  Arena arena((*memory)->data(), (*memory)->size());
  Run run{device, arena};
  const Tensor xt(DType::f32, {s.rows, s.in}, x), yt(DType::f32, {s.rows, s.out}, x + s.rows * s.in);
  double best = 1e9;
  const auto start = Clock::now();
  do {
    const double begin = now(device.info().threads == 1);
    for (size_t c = 0; c < copies; ++c) {
      const LinearTarget target{
          {s.format, layout, s.precision, static_cast<int32_t>(s.out), static_cast<int32_t>(s.in), (*weights)->data() + c * bytes}, {}, yt};
      ops::linear(run, {&target, 1}, xt);
    }
    const double seconds = (now(device.info().threads == 1) - begin) / static_cast<double>(copies);
    if (seconds < best) best = seconds;
  } while (std::chrono::duration<double>(Clock::now() - start).count() < budget);
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  CpuOptions options;
  if (argc > 1) options.threads = std::atoi(argv[1]);
  if (argc > 2) options.isa = argv[2];
  const double budget = argc > 3 ? std::atof(argv[3]) : 0.2;
  auto device = make_cpu_device(options);
  if (!device) return std::puts(device.error().message().c_str()), 1;
  std::printf("%s, %s, %d threads\n", (*device)->info().name.c_str(), (*device)->info().isa.c_str(), (*device)->info().threads);
  std::vector<Shape> shapes;
  if (argc > 4) {
    for (const DType format : {DType::q4_0, DType::q4_1, DType::q8_0, DType::q4_k, DType::q6_k}) {
      shapes.push_back({format, Precision::fast, 4096, 4096, 256});
      shapes.push_back({format, Precision::fast, 4096, 11008, 256});
    }
  }
  const int64_t sizes[][2] = {{576, 576}, {1536, 576}, {576, 1536}, {49152, 576}, {2048, 2048}};
  for (const DType format : {DType::q4_1, DType::q4_0, DType::q8_0, DType::q4_k, DType::q6_k}) {
    if (argc > 4) break;
    for (const auto& [out, in] : sizes) {
      if (in % dtype_info(format).block != 0) continue;
      for (const int64_t rows : {1, 4, 512}) {
        if (out <= 2048 || rows == 1) shapes.push_back({format, Precision::fast, out, in, rows});
      }
    }
  }
  for (const int64_t rows : {1, 512}) shapes.push_back({DType::bf16, Precision::fast, 2048, 2048, rows});
  for (const DType format : {DType::q4_1, DType::f32, DType::f16, DType::bf16}) {
    if (argc > 4) break;
    for (const int64_t rows : {1, 512}) shapes.push_back({format, Precision::exact, 1536, 576, rows});
  }
  for (const Shape& s : shapes) {
    const double seconds = best_seconds(**device, s, budget);
    const double bytes = static_cast<double>(packed_bytes(s.format, preferred_layout(s.format, s.precision, true), s.out, s.in));
    const double operations = 2.0 * static_cast<double>(s.rows * s.out * s.in);
    std::printf("%-5s %-5s %6ld x %5ld rows %4ld  %10.1f us  %8.1f GOP/s  %6.1f GB/s\n", dtype_info(s.format).name.data(),
                precision_name(s.precision), s.out, s.in, s.rows, 1e6 * seconds, 1e-9 * operations / seconds,
                1e-9 * bytes / seconds);
    std::fflush(stdout);
  }
}
