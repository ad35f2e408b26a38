// Copies of op calls, kept to be looked at or executed later.
#pragma once
#include <cstring>
#include <vector>

#include "kernels/decorator.h"

namespace lava {

class CallList {
 public:
  void append(const OpCall& call) {
    LAVA_CHECK(call.size <= max_op_args);
    entries_.push_back({call.id, call.size, {}});
    std::memcpy(entries_.back().args, call.args, call.size);
  }
  size_t size() const { return entries_.size(); }
  OpCall operator[](size_t i) const { return {entries_[i].id, entries_[i].args, entries_[i].size}; }
  void* args(size_t i) { return entries_[i].args; }

 private:
  struct Entry {
    OpId id;
    uint32_t size;
    alignas(16) std::byte args[max_op_args];
  };
  std::vector<Entry> entries_;
};

// Keeps calls instead of running them, as a device like `info` would get them.
class CaptureDevice : public Device {
 public:
  explicit CaptureDevice(const DeviceInfo& info) : info_(info) {}
  CallList calls;

  const DeviceInfo& info() const override { return info_; }
  Result<std::unique_ptr<Buffer>> allocate(size_t, BufferUse) override { return fail(Error::Kind::unsupported, "This device has no memory"); }
  void execute(const OpCall& call) override { calls.append(call); }
  std::unique_ptr<Recording> record(const std::function<void()>&) override { return nullptr; }

 private:
  DeviceInfo info_;
};

// Base of devices that look at every op: ops of a recording are kept and executed one by one at each replay.
class ObservingDevice : public DeviceDecorator {
 public:
  using DeviceDecorator::DeviceDecorator;
  void execute(const OpCall& call) override { recording_ ? recording_->append(call) : observe(call); }
  std::unique_ptr<Recording> record(const std::function<void()>& body) override {
    LAVA_CHECK(recording_ == nullptr);
    auto recording = std::make_unique<Replay>(*this);
    recording_ = &recording->calls;
    body();
    recording_ = nullptr;
    return recording;
  }

 protected:
  virtual void observe(const OpCall& call) = 0;  // must execute it on inner_

 private:
  struct Replay : Recording {
    explicit Replay(ObservingDevice& owner) : owner(owner) {}
    void replay() override {
      for (size_t i = 0; i < calls.size(); ++i) owner.observe(calls[i]);
    }
    ObservingDevice& owner;
    CallList calls;
  };
  CallList* recording_ = nullptr;
};

}  // namespace lava
