#include "kernels/probe/roofs.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/pool.h"
#include "kernels/probe/device_rates.h"
#include "kernels/probe/probe_kernels.h"

namespace lava {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The last cache that the first core sees; 0 where the system does not tell. (sysconf names that of a whole server, also in a small part of it.)
size_t cache_bytes() {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index3/size");
  size_t size = 0;
  char unit = 0;
  if (!(file >> size >> unit) || size > (size_t{1} << 20)) return 0;
  return unit == 'K' ? size << 10 : unit == 'M' ? size << 20 : 0;
}

// So much that no cache holds a noticeable part of it.
size_t buffer_bytes() { return std::clamp(4 * cache_bytes(), size_t{128} << 20, size_t{1} << 30); }

class CpuProbe final : public RoofProbe {
 public:
  CpuProbe(int threads, const KernelTable& table, std::unique_ptr<Buffer> scratch, std::unique_ptr<Buffer> data)
      : level_(table.level), kernels_(probe_kernels_of(table.level)), scratch_(std::move(scratch)), data_(std::move(data)), pool_(threads, true, scratch_->data()) {
    Fill fill{data_->data(), data_->size()};
    pool_.run([](void* context, const Lane& lane) {  // touched by the lane that will read it
      const Fill& f = *static_cast<Fill*>(context);
      const Span part = lane.share(static_cast<int64_t>(f.bytes), grain);
      std::memset(f.data + part.begin, 0, static_cast<size_t>(part.end - part.begin));
    }, &fill);
  }

  Result<Roofs> measure(double seconds) override {
    Roofs roofs;
    roofs.level = level_;
    if (!kernels_) return roofs;
    roofs.read = read_rate(data_->size(), 1, seconds);
    roofs.read_of = "memory read", roofs.read_unit = "vector loads, " + level_;
    roofs.cache = read_rate(cached_bytes * static_cast<size_t>(pool_.size()), 64, seconds);
    roofs.f32 = peak(kernels_->f32, seconds), roofs.f32_unit = kernels_->f32.unit;
    roofs.bf16 = peak(kernels_->bf16, seconds), roofs.bf16_unit = kernels_->bf16.unit;
    roofs.int8 = peak(kernels_->int8, seconds), roofs.int8_unit = kernels_->int8.unit;
    return roofs;
  }

 private:
  static constexpr int64_t grain = 4096;
  static constexpr size_t cached_bytes = size_t{256} << 10;  // of a lane: more than the first level holds, less than the second
  struct Fill {
    std::byte* data;
    size_t bytes;
  };
  struct Pass {
    const ProbeKernels* kernels;
    const std::byte* data;
    size_t bytes;
    float (*loop)(int64_t);
    int64_t rounds;
  };
  static void keep(const Lane& lane, float value) { std::memcpy(lane.scratch, &value, sizeof(value)); }

  // The first `all` bytes, every lane its own part of them, `times` in a row.
  double read_rate(size_t all, int64_t times, double seconds) {
    Pass pass{kernels_, data_->data(), std::min(all, data_->size()) / grain * grain, nullptr, times};
    const auto start = Clock::now();
    double bytes = 0, taken = 0;
    do {
      pool_.run([](void* context, const Lane& lane) {
        const Pass& p = *static_cast<Pass*>(context);
        const Span part = lane.share(static_cast<int64_t>(p.bytes), grain);
        for (int64_t i = 0; i < p.rounds; ++i) keep(lane, p.kernels->read(p.data + part.begin, static_cast<size_t>(part.end - part.begin)));
      }, &pass);
      bytes += static_cast<double>(pass.bytes) * static_cast<double>(times), taken = since(start);
    } while (taken < seconds);
    return bytes / taken;
  }

  double peak(const PeakLoop& loop, double seconds) {
    if (!loop.run) return 0;
    Pass pass{kernels_, nullptr, 0, loop.run, int64_t{1} << 16};
    double best = 0;
    for (const auto start = Clock::now(); since(start) < seconds;) {
      const auto begin = Clock::now();
      pool_.run([](void* context, const Lane& lane) { keep(lane, static_cast<Pass*>(context)->loop(static_cast<Pass*>(context)->rounds)); }, &pass);
      best = std::max(best, loop.operations * static_cast<double>(pass.rounds) * pool_.size() / since(begin));
    }
    return best;
  }

  std::string level_;
  const ProbeKernels* kernels_;
  std::unique_ptr<Buffer> scratch_, data_;
  ThreadPool pool_;
};

class DeviceProbe final : public RoofProbe {
 public:
  explicit DeviceProbe(Device& device) : device_(device) {}
  Result<Roofs> measure(double seconds) override { return device_roofs(device_, seconds); }

 private:
  Device& device_;
};

}  // namespace

Result<std::unique_ptr<RoofProbe>> RoofProbe::create(int threads) {
  LAVA_TRY(const KernelTable* table, choose_level(runnable_levels().back()));
  LAVA_TRY(auto scratch, allocate_host(std::max(static_cast<size_t>(threads) * Lane::scratch_bytes, size_t{2} << 20)));
  LAVA_TRY(auto data, allocate_host(buffer_bytes()));
  return std::make_unique<CpuProbe>(threads, *table, std::move(scratch), std::move(data));
}

Result<std::unique_ptr<RoofProbe>> RoofProbe::create(Device& device) {
  if (device.info().host_memory) return create(device.info().threads);
  return std::make_unique<DeviceProbe>(device);
}

Roofs between(const Roofs& before, const Roofs& after) {
  Roofs both = after;
  both.read = (before.read + after.read) / 2;
  both.cache = (before.cache + after.cache) / 2;
  both.upload = (before.upload + after.upload) / 2;
  both.f32 = std::max(before.f32, after.f32);
  both.bf16 = std::max(before.bf16, after.bf16);
  both.int8 = std::max(before.int8, after.int8);
  return both;
}

}  // namespace lava
