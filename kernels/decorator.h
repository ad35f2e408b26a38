// Base of devices that stand before another one: everything passes through, unless overridden.
#pragma once
#include "kernels/device.h"

namespace lava {

class DeviceDecorator : public Device {
 public:
  explicit DeviceDecorator(Device& inner) : inner_(inner) {}
  const DeviceInfo& info() const override { return inner_.info(); }
  Result<std::unique_ptr<Buffer>> allocate(size_t bytes, BufferUse use) override { return inner_.allocate(bytes, use); }
  void execute(const OpCall& call) override { inner_.execute(call); }
  std::unique_ptr<Recording> record(const std::function<void()>& body) override { return inner_.record(body); }
  void upload(std::byte* target, std::span<const std::byte> source) override { inner_.upload(target, source); }
  void download(std::span<std::byte> target, const std::byte* source) override { inner_.download(target, source); }
  void copy(std::byte* target, const std::byte* source, size_t bytes) override { inner_.copy(target, source, bytes); }
  Result<void> finish() override { return inner_.finish(); }
  Device& inner() const { return inner_; }

 protected:
  Device& inner_;
};

// What stands behind all decorators.
inline Device& undecorated(Device& device) {
  const auto* decorator = dynamic_cast<const DeviceDecorator*>(&device);
  return decorator ? undecorated(decorator->inner()) : device;
}

}  // namespace lava
