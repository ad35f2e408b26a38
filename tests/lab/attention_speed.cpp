// Speed of a decoder's attention for one row: GB/s of keys and values, from the caches and from memory.
// usage: attention_speed [threads] [isa] [seconds per case]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels/attention/cache.h"
#include "kernels/ops.h"

using namespace lava;
using Clock = std::chrono::steady_clock;

namespace {

struct Shape {
  int64_t past, heads, kv_heads, d;
};

// Best time of one call, over copies of the cache; one recording holds them all, so that the pool wakes once.
double best_seconds(Device& device, const Shape& s, DType type, int64_t copies, double budget) {
  const int64_t context = whole_units(s.past + 1), elements = s.kv_heads * context * s.d;
  const CacheTypes types = cache_types(type, device.info().interleaves_cache);
  const size_t bytes = (row_bytes(type, elements) + 63) / 64 * 64;
  auto caches = device.allocate(2 * bytes * static_cast<size_t>(copies));
  auto memory = device.allocate(size_t{16} << 20);
  if (!caches || !memory) std::exit(1);
  std::vector<float> values(static_cast<size_t>(elements));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 2654435761u >> 8 & 0xffff) / 32768.0f - 1.0f;
  for (const bool keys : {true, false}) {
    const Tensor one(keys ? types.keys : types.values, {s.kv_heads, context, s.d}, (*caches)->data() + (keys ? 0 : bytes));
    for (int64_t i = 0; i < s.kv_heads * context; ++i) cache_store(one, i / context, i % context, values.data() + i * s.d);
  }
  for (int64_t i = 1; i < copies; ++i) std::memcpy((*caches)->data() + static_cast<size_t>(2 * i) * bytes, (*caches)->data(), 2 * bytes);
  Arena arena((*memory)->data(), (*memory)->size());
  StepParams step;
  step.past = static_cast<int32_t>(s.past);
  Run run{device, arena, &step};
  const Tensor q = arena.f32({1, s.heads, s.d}), out = arena.f32({1, s.heads, s.d}), k = arena.f32({1, s.kv_heads, s.d}), table = arena.f32({context, s.d});
  for (const Tensor& t : {q, k, table})
    for (int64_t i = 0; i < t.elements(); ++i) t.f32()[i] = std::sin(static_cast<float>(i));
  const auto recording = device.record([&] {
    for (int64_t c = 0; c < copies; ++c) {
      std::byte* keys = (*caches)->data() + static_cast<size_t>(2 * c) * bytes;
      const Tensor k_cache(types.keys, {s.kv_heads, context, s.d}, keys), v_cache(types.values, {s.kv_heads, context, s.d}, keys + bytes);
      ops::rope_attention(run, out, q, k, k, table, RopeStyle::half, k_cache, v_cache, 1 / std::sqrt(static_cast<float>(s.d)));
    }
  });
  double best = 1e9;
  for (const auto start = Clock::now(); std::chrono::duration<double>(Clock::now() - start).count() < budget;) {
    const auto begin = Clock::now();
    recording->replay();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count() / static_cast<double>(copies));
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  CpuOptions options;
  if (argc > 1) options.threads = std::atoi(argv[1]);
  if (argc > 2) options.isa = argv[2];
  const double budget = argc > 3 ? std::atof(argv[3]) : 0.3;
  auto device = make_cpu_device(options);
  if (!device) return std::puts(device.error().message().c_str()), 1;
  std::printf("%s, %s, %d threads\n", (*device)->info().name.c_str(), (*device)->info().isa.c_str(), (*device)->info().threads);
  for (const Shape& s : {Shape{640, 32, 32, 128}, {4000, 32, 32, 128}, {2048, 32, 4, 64}, {2048, 32, 8, 128}, {512, 9, 3, 64}}) {
    for (const DType type : {DType::f16, DType::q8_0}) {
      const auto bytes = 2.0 * static_cast<double>(row_bytes(type, s.kv_heads * (s.past + 1) * s.d));
      const auto many = static_cast<int64_t>(2e8 / bytes) + 1;
      const Shape short_one{std::min<int64_t>(s.past, 255), s.heads, s.kv_heads, s.d};
      const double small = 2.0 * static_cast<double>(row_bytes(type, s.kv_heads * (short_one.past + 1) * s.d));
      const double cached = best_seconds(**device, short_one, type, 1, budget), seconds = best_seconds(**device, s, type, many, budget);
      std::printf("%5ld positions, %2ld heads on %2ld of %3ld, %-4s  %8.1f us  %6.1f GB/s from memory, %6.1f GB/s from the caches (%ld positions)\n", s.past + 1, s.heads,
                  s.kv_heads, s.d, dtype_info(type).name.data(), 1e6 * seconds, 1e-9 * bytes / seconds, 1e-9 * small / cached, short_one.past + 1);
      std::fflush(stdout);
    }
  }
}
