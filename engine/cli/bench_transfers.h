// How fast weights go to a device with memory of its own.
#pragma once
#include <chrono>
#include <filesystem>
#include <mutex>
#include <vector>

#include "kernels/decorator.h"

namespace lava::bench {

// Decorator that counts what is uploaded, and the time from the first upload until the device was waited for after the last one.
class UploadMeter final : public DeviceDecorator {
 public:
  using DeviceDecorator::DeviceDecorator;
  void upload(std::byte* target, std::span<const std::byte> source) override;
  Result<void> finish() override;
  void stop() { on_ = false; }  // what follows is no longer counted

  double bytes() const { return bytes_; }
  double seconds() const { return bytes_ > 0 ? std::chrono::duration<double>(end_ - begin_).count() : 0; }

 private:
  using Clock = std::chrono::steady_clock;
  std::mutex mutex_;  // of what is below: models may upload from several threads
  bool on_ = true, waiting_ = false;
  double bytes_ = 0;
  Clock::time_point begin_, end_;
};

// Bytes/s at which this many threads read the files, at most for a second. What the page cache of the system holds is read from there.
Result<double> read_rate(const std::vector<std::filesystem::path>& files, int threads);

}  // namespace lava::bench
