// Executes nothing: with a planning Arena it measures the memory that a run would take.
#include "kernels/device.h"

namespace lava {
namespace {

class PlanBuffer : public Buffer {
 public:
  explicit PlanBuffer(size_t size) : size_(size) {}
  std::byte* data() const override { return reinterpret_cast<std::byte*>(address); }  // nobody may touch it
  size_t size() const override { return size_; }

 private:
  static constexpr uintptr_t address = 64;
  size_t size_;
};

class PlanRecording : public Recording {
 public:
  void replay() override {}
};

class PlanDevice : public Device {
 public:
  const DeviceInfo& info() const override { return info_; }
  Result<std::unique_ptr<Buffer>> allocate(size_t bytes, BufferUse) override { return std::make_unique<PlanBuffer>(bytes); }
  void execute(const OpCall&) override {}
  std::unique_ptr<Recording> record(const std::function<void()>& body) override {
    body();
    return std::make_unique<PlanRecording>();
  }
  void upload(std::byte*, std::span<const std::byte>) override {}
  void download(std::span<std::byte>, const std::byte*) override {}
  void copy(std::byte*, const std::byte*, size_t) override {}

 private:
  DeviceInfo info_{"plan", "plan", "none", 1};
};

}  // namespace

std::unique_ptr<Device> make_plan_device() { return std::make_unique<PlanDevice>(); }

}  // namespace lava
