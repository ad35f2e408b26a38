// A device with memory of its own and a queue, played by the processor: what a graphics card forbids, it forbids.
//
// Own and sparse buffers have an address that nobody may touch: host access to them ends the program, as does an op on memory that is not
// the device's. Ops, uploads and copies wait in a queue until finish() or download(): what the host reads or writes too early is wrong then.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/device.h"

namespace lava::test {

struct SealedOptions {
  int threads = 2;
  bool sized_recordings = true;
  bool limits_told = true;       // a recording without StepParams::limit ends the program; the selftest gives none
  int64_t fail_allocation = -1;  // this one (from 0) is refused
  size_t own_limit = SIZE_MAX;   // bytes of own and sparse memory together; more are refused
  int64_t lose_at = -1;          // lost when this op, transfer or replay (from 0) would run
  std::string wrong_op = {};     // its results are wrong, unless recorded
};

class SealedDevice final : public Device {
 public:
  static Result<std::unique_ptr<SealedDevice>> create(const SealedOptions& options = {});
  ~SealedDevice() override;

  const DeviceInfo& info() const override { return info_; }
  Result<std::unique_ptr<Buffer>> allocate(size_t bytes, BufferUse use) override;
  void execute(const OpCall& call) override;
  std::unique_ptr<Recording> record(const std::function<void()>& body) override;
  void upload(std::byte* target, std::span<const std::byte> source) override;
  void download(std::span<std::byte> target, const std::byte* source) override;
  void copy(std::byte* target, const std::byte* source, size_t bytes) override;
  Result<void> finish() override;

  void set_name(std::string name, std::string backend) { info_.name = std::move(name), info_.backend = std::move(backend); }
  int64_t allocations() const { return allocations_; }
  int64_t actions() const { return actions_; }  // run so far
  int64_t recordings() const { return recordings_; }
  size_t own_bytes() const { return own_bytes_; }
  size_t most_own_bytes() const { return most_own_bytes_; }
  SealedOptions options;

 private:
  friend class SealedBuffer;
  friend class SealedRecording;
  struct Range {
    size_t size;
    std::byte* real;
  };

  SealedDevice(std::unique_ptr<Device> cpu, const SealedOptions& options);
  std::byte* real(const std::byte* address) const;
  OpCall translate(const OpCall& call, std::byte* args) const;
  void later(std::function<void()> action, size_t bytes = 0);
  void run_queue();

  std::unique_ptr<Device> cpu_;
  DeviceInfo info_;
  std::map<uintptr_t, Range> ranges_;  // by the first address that tensors see
  std::vector<std::function<void()>> queue_;
  size_t queued_bytes_ = 0, own_bytes_ = 0, most_own_bytes_ = 0;
  int64_t allocations_ = 0, actions_ = 0, recordings_ = 0;
  bool lost_ = false, recording_ = false;
  int32_t recorded_limit_ = 0;
  const StepParams* recorded_step_ = nullptr;
};

// What tests compute on: the processor, a sealed device where LAVA_TEST_DEVICE is "sealed", or what else it names, as --device does.
Result<std::unique_ptr<Device>> make_test_device(int threads);

}  // namespace lava::test
