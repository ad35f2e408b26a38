// The CPU device: one op is one parallel region; a recording is a flat list of (kernel, arguments) replayed in one region.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/memory.h"
#include "kernels/cpu/pool.h"
#include "kernels/device.h"

namespace lava {
namespace {

constexpr size_t entry_alignment = 16;

struct alignas(entry_alignment) EntryHeader {
  Kernel kernel;
  uint64_t size;  // of the arguments that follow, padded
};

// Entries one after another in one buffer: header, arguments, header, arguments, ...
class CpuRecording : public Recording {
 public:
  explicit CpuRecording(ThreadPool& pool) : pool_(pool) {}

  void append(Kernel kernel, const OpCall& call) {
    const size_t padded = (call.size + entry_alignment - 1) / entry_alignment * entry_alignment;
    const EntryHeader header{kernel, padded};
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(header) + padded);
    std::memcpy(bytes_.data() + at, &header, sizeof(header));
    std::memcpy(bytes_.data() + at + sizeof(header), call.args, call.size);
  }
  void replay() override {
    if (!bytes_.empty()) pool_.run(&run_entries, this);
  }

 private:
  static void run_entries(void* context, const Lane& lane) {
    const auto& bytes = static_cast<CpuRecording*>(context)->bytes_;
    const std::byte *at = bytes.data(), *end = at + bytes.size();
    while (at != end) {
      const auto* header = reinterpret_cast<const EntryHeader*>(at);
      header->kernel(header + 1, lane);
      at += sizeof(EntryHeader) + header->size;
      if (at != end) lane.sync();
    }
  }

  ThreadPool& pool_;
  std::vector<std::byte> bytes_;
};

class CpuDevice : public Device {
 public:
  CpuDevice(const KernelTable& table, int threads, bool pin, std::unique_ptr<Buffer> scratch)
      : info_{cpu_name(), "cpu", table.level, threads, true, table.kernels != reference_kernels(), true}, kernels_(table.kernels), scratch_(std::move(scratch)), pool_(threads, pin, scratch_->data()) {}

  const DeviceInfo& info() const override { return info_; }
  Result<std::unique_ptr<Buffer>> allocate(size_t bytes, BufferUse use) override { return allocate_host(bytes, use); }

  void execute(const OpCall& call) override {
    LAVA_CHECK(call.id < OpId::count && call.size <= max_op_args);
    const Kernel kernel = kernels_[static_cast<int>(call.id)];
    LAVA_CHECK(kernel != nullptr);
    if (recording_) return recording_->append(kernel, call);
    Region region{kernel, call.args};
    pool_.run([](void* context, const Lane& lane) { static_cast<Region*>(context)->kernel(static_cast<Region*>(context)->args, lane); }, &region);
  }

  std::unique_ptr<Recording> record(const std::function<void()>& body) override {
    LAVA_CHECK(recording_ == nullptr);  // recordings do not nest
    auto recording = std::make_unique<CpuRecording>(pool_);
    recording_ = recording.get();
    body();
    recording_ = nullptr;
    return recording;
  }

 private:
  struct Region {
    Kernel kernel;
    const void* args;
  };

  DeviceInfo info_;
  const Kernel* kernels_;
  std::unique_ptr<Buffer> scratch_;  // Lane::scratch_bytes for each lane, in 2 MB pages
  ThreadPool pool_;
  CpuRecording* recording_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Device>> make_cpu_device(const CpuOptions& options) {
  constexpr int max_threads = 256;
  if (options.threads < 0 || options.threads > max_threads) {
    return fail(Error::Kind::invalid, "The number of threads must be between 0 and 256", "it is " + std::to_string(options.threads));
  }
  LAVA_TRY(const KernelTable* table, choose_level(options.isa));
  const int cores = static_cast<int>(usable_cores().size());
  const int threads = options.threads > 0 ? options.threads : cores < max_threads ? cores : max_threads;
  LAVA_TRY(auto scratch, allocate_host(std::max(threads * Lane::scratch_bytes, size_t{2} << 20)));
  return std::make_unique<CpuDevice>(*table, threads, options.pin, std::move(scratch));
}

}  // namespace lava
