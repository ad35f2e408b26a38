// Where ops run. Backends implement it; trace, shadow and planning are decorators of it (kernels/decorator.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "kernels/op.h"
#include "kernels/result.h"
#include "kernels/step_params.h"

namespace lava {

struct DeviceInfo {
  std::string name;     // "AMD EPYC"
  std::string backend;  // "cpu"
  std::string isa;      // "avx512_bf16"
  int threads = 1;
  bool host_memory = false;       // every buffer is the processor's memory: read and written at data()
  bool fuses = false;             // takes fused ops: a norm before linear (LinearArgs::norm), rope_attention
  bool interleaves_cache = false; // caches of keys and values in F16 and Q8_0 lie as cache_types(format, true) (kernels/attention/cache.h)
  bool sized_recordings = false;  // work of a recording is sized by StepParams::limit: one per length, instead of one for all
};

// Who reaches a buffer, and how it fills. The CPU reaches all of its own.
enum class BufferUse : uint8_t {
  shared,  // the processor reads and writes at data(); what ops wrote is there after finish()
  own,     // only ops, upload(), download() and copy() reach it: data() is an address to compute with
  sparse   // as own, and filled bit by bit in many places: it must not cost memory for what lies between
};

// Device memory, 64-byte aligned, freed with the object.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual std::byte* data() const = 0;
  virtual size_t size() const = 0;
};

// A recorded sequence of ops; replay() runs it with the current values of the StepParams that its ops point at.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

// Threads may share a device: their ops take turns. While one records, no other may use it.
class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  virtual Result<std::unique_ptr<Buffer>> allocate(size_t bytes, BufferUse use = BufferUse::shared) = 0;
  virtual void execute(const OpCall& call) = 0;  // done, or ordered before everything that follows, when it returns
  // Runs `body` once with ops appended instead of executed. Tensors named by the ops must outlive the recording.
  virtual std::unique_ptr<Recording> record(const std::function<void()>& body) = 0;
  // Bytes into, out of and within any buffers, in the order of the ops around them; upload() has read its source when it returns,
  // download() waits. Not while recording.
  virtual void upload(std::byte* target, std::span<const std::byte> source) { std::memcpy(target, source.data(), source.size()); }
  virtual void download(std::span<std::byte> target, const std::byte* source) { std::memcpy(target.data(), source, target.size()); }
  virtual void copy(std::byte* target, const std::byte* source, size_t bytes) { std::memcpy(target, source, bytes); }
  // Waits until everything given so far is done. Fails when the device was lost on the way: results are then worthless.
  virtual Result<void> finish() { return {}; }
};

// Recorder in the sense of the op interface: while one is active on a device, execute() appends.
// The CPU device keeps a flat list of (kernel, arguments) and replays it in one parallel region.

// ops executed on it do nothing: with a planning Arena it measures memory.
std::unique_ptr<Device> make_plan_device();

struct CpuOptions {
  int threads = 0;   // 0: one per physical core that this process may use
  std::string isa;   // empty: the best that runs here, or $LAVASCOPE_ISA: reference, baseline, avx2, avx512, avx512_bf16, neon
  bool pin = true;
};
Result<std::unique_ptr<Device>> make_cpu_device(const CpuOptions& options = {});

struct OpStats {
  const char* name;
  int64_t calls;
  double seconds, bytes, flops;
};
// Decorator that times every op (kernels/trace.h).
class TraceDevice;
std::unique_ptr<TraceDevice> make_trace_device(Device& inner);

struct Difference {
  std::string op;     // empty: none
  int64_t call = -1;  // index of the call
  double nmse = 0, max_abs = 0;
};
// Decorator that runs the reference beside each op and remembers the first that differs by more than `nmse_limit` (kernels/shadow.h).
class ShadowDevice;
std::unique_ptr<ShadowDevice> make_shadow_device(Device& inner, double nmse_limit = 1e-6);

}  // namespace lava
