#include "tests/support/engine/sealed_device.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "kernels/devices.h"
#include "kernels/ops.h"

namespace lava::test {
namespace {

constexpr size_t page = 4096, most_queued = size_t{64} << 20;

size_t whole_pages(size_t bytes) { return std::max(page, (bytes + page - 1) / page * page); }

std::byte* map(size_t bytes, int protection) {
  void* address = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  LAVA_CHECK(address != MAP_FAILED);
  return static_cast<std::byte*>(address);
}

}  // namespace

class SealedBuffer final : public Buffer {
 public:
  SealedBuffer(SealedDevice& device, size_t bytes) : device_(device), bytes_(bytes), data_(map(whole_pages(bytes), PROT_NONE)), real_(map(whole_pages(bytes), PROT_READ | PROT_WRITE)) {
    std::memset(real_, 0xA5, std::min(bytes, size_t{1} << 20));  // nobody may count on zeros
    device_.ranges_[reinterpret_cast<uintptr_t>(data_)] = {bytes, real_};
    device_.own_bytes_ += bytes;
    device_.most_own_bytes_ = std::max(device_.most_own_bytes_, device_.own_bytes_);
  }
  ~SealedBuffer() override {
    device_.run_queue();
    device_.ranges_.erase(reinterpret_cast<uintptr_t>(data_));
    device_.own_bytes_ -= bytes_;
    munmap(data_, whole_pages(bytes_));
    munmap(real_, whole_pages(bytes_));
  }
  std::byte* data() const override { return data_; }
  size_t size() const override { return bytes_; }

 private:
  SealedDevice& device_;
  size_t bytes_;
  std::byte *data_, *real_;
};

namespace {

class SharedBuffer final : public Buffer {
 public:
  SharedBuffer(std::unique_ptr<Buffer> memory, std::function<void()> freed) : memory_(std::move(memory)), freed_(std::move(freed)) {}
  ~SharedBuffer() override { freed_(); }
  std::byte* data() const override { return memory_->data(); }
  size_t size() const override { return memory_->size(); }

 private:
  std::unique_ptr<Buffer> memory_;
  std::function<void()> freed_;
};

}  // namespace

class SealedRecording final : public Recording {
 public:
  SealedRecording(SealedDevice& device, std::unique_ptr<Recording> inner) : device_(device), inner_(std::move(inner)), step_(device.recorded_step_), limit_(device.recorded_limit_) {}
  ~SealedRecording() override { device_.run_queue(); }
  void replay() override {
    device_.later([this] {
      LAVA_CHECK(!step_ || limit_ == 0 || step_->past < limit_);  // what was promised while recording
      inner_->replay();
    });
  }

 private:
  SealedDevice& device_;
  std::unique_ptr<Recording> inner_;
  const StepParams* step_;
  int32_t limit_;
};

Result<std::unique_ptr<SealedDevice>> SealedDevice::create(const SealedOptions& options) {
  LAVA_TRY(auto cpu, make_cpu_device({.threads = options.threads, .pin = false}));
  return std::unique_ptr<SealedDevice>(new SealedDevice(std::move(cpu), options));
}

SealedDevice::SealedDevice(std::unique_ptr<Device> cpu, const SealedOptions& options) : options(options), cpu_(std::move(cpu)) {
  info_ = cpu_->info();
  info_.name = "Sealed memory", info_.backend = "sealed", info_.host_memory = false, info_.sized_recordings = options.sized_recordings;
}

SealedDevice::~SealedDevice() { LAVA_CHECK(ranges_.empty()); }

Result<std::unique_ptr<Buffer>> SealedDevice::allocate(size_t bytes, BufferUse use) {
  const bool own = use != BufferUse::shared;
  if (allocations_++ == options.fail_allocation || (own && bytes > options.own_limit - std::min(own_bytes_, options.own_limit)))
    return fail(Error::Kind::out_of_memory, "The device has not enough memory", std::to_string(bytes) + " bytes were asked for");
  if (own) return std::make_unique<SealedBuffer>(*this, bytes);
  LAVA_TRY(auto memory, cpu_->allocate(bytes));
  const auto at = reinterpret_cast<uintptr_t>(memory->data());
  ranges_[at] = {memory->size(), memory->data()};
  return std::make_unique<SharedBuffer>(std::move(memory), [this, at] {
    run_queue();
    ranges_.erase(at);
  });
}

// Memory that is no buffer of this device is the caller's mistake, as it is on a real one.
std::byte* SealedDevice::real(const std::byte* address) const {
  if (!address) return nullptr;
  const auto at = reinterpret_cast<uintptr_t>(address);
  auto range = ranges_.upper_bound(at);
  LAVA_CHECK(range != ranges_.begin());
  --range;
  LAVA_CHECK(at - range->first <= range->second.size);
  return range->second.real + (at - range->first);
}

OpCall SealedDevice::translate(const OpCall& call, std::byte* args) const {
  struct Translator : TensorVisitor {
    explicit Translator(const SealedDevice& device) : device(device) {}
    void read(Tensor& tensor) override { tensor.data = device.real(tensor.data); }
    void written(Tensor& tensor) override { tensor.data = device.real(tensor.data); }
    const SealedDevice& device;
  } translator(*this);
  std::memcpy(args, call.args, call.size);
  op_info(call.id).visit(args, translator);
  // What visitors are not shown: weights and scratch.
  if (call.id == OpId::linear) {
    auto& linear = *reinterpret_cast<LinearArgs*>(args);
    linear.scratch.data = real(linear.scratch.data);
    for (int i = 0; i < linear.targets; ++i) linear.target[static_cast<size_t>(i)].weight.data = real(linear.target[static_cast<size_t>(i)].weight.data);
  } else if (call.id == OpId::embed_rows) {
    auto& embed = *reinterpret_cast<EmbedRowsArgs*>(args);
    embed.table.data = real(embed.table.data);
    LAVA_CHECK(!embed.step || real(reinterpret_cast<const std::byte*>(embed.step)));
  } else if (call.id == OpId::rope_attention) {
    LAVA_CHECK(real(reinterpret_cast<const std::byte*>(reinterpret_cast<RopeAttentionArgs*>(args)->rope.step)));
  } else if (call.id == OpId::attention) {
    LAVA_CHECK(!reinterpret_cast<AttentionArgs*>(args)->step || real(reinterpret_cast<const std::byte*>(reinterpret_cast<AttentionArgs*>(args)->step)));
  }
  return {call.id, args, call.size};
}

static const StepParams* step_of_attention(OpId id, const std::byte* args) {
  if (id == OpId::attention) return reinterpret_cast<const AttentionArgs*>(args)->step;
  return id == OpId::rope_attention ? reinterpret_cast<const RopeAttentionArgs*>(args)->rope.step : nullptr;
}

static void spoil(OpId id, std::byte* args) {
  struct Spoiler : TensorVisitor {
    void read(Tensor&) override {}
    void written(Tensor& tensor) override { std::memset(tensor.data, 0x7b, 4); }
  } spoiler;
  op_info(id).visit(args, spoiler);
}

void SealedDevice::execute(const OpCall& call) {
  alignas(16) std::byte args[max_op_args];
  const OpCall translated = translate(call, args);
  if (recording_) {
    if (const StepParams* step = step_of_attention(call.id, args)) {
      recorded_step_ = step;
      recorded_limit_ = recorded_step_->limit;
      LAVA_CHECK(!info_.sized_recordings || !options.limits_told || recorded_limit_ > 0);
    }
    return cpu_->execute(translated);
  }
  struct alignas(16) Kept {
    std::byte args[max_op_args];
  };
  Kept kept;
  std::memcpy(kept.args, args, call.size);
  later([this, kept, id = call.id, size = call.size]() mutable {
    cpu_->execute({id, kept.args, size});
    if (op_info(id).name == options.wrong_op) spoil(id, kept.args);
  });
}

std::unique_ptr<Recording> SealedDevice::record(const std::function<void()>& body) {
  LAVA_CHECK(!recording_);
  ++recordings_;
  recording_ = true, recorded_step_ = nullptr, recorded_limit_ = 0;
  auto inner = cpu_->record(body);
  recording_ = false;
  return std::make_unique<SealedRecording>(*this, std::move(inner));
}

void SealedDevice::upload(std::byte* target, std::span<const std::byte> source) {
  LAVA_CHECK(!recording_ && real(target) && (source.empty() || real(target + source.size() - 1)));
  later([to = real(target), bytes = std::vector<std::byte>(source.begin(), source.end())] { std::memcpy(to, bytes.data(), bytes.size()); }, source.size());
}

void SealedDevice::download(std::span<std::byte> target, const std::byte* source) {
  LAVA_CHECK(!recording_);
  run_queue();
  if (!lost_) std::memcpy(target.data(), real(source), target.size());
}

void SealedDevice::copy(std::byte* target, const std::byte* source, size_t bytes) {
  LAVA_CHECK(!recording_);
  later([to = real(target), from = real(source), bytes] { std::memcpy(to, from, bytes); });
}

Result<void> SealedDevice::finish() {
  run_queue();
  if (lost_) return fail(Error::Kind::device_lost, "The device stopped working", "it was lost at action " + std::to_string(options.lose_at));
  return {};
}

void SealedDevice::later(std::function<void()> action, size_t bytes) {
  queue_.push_back(std::move(action));
  if ((queued_bytes_ += bytes) > most_queued) run_queue();
}

void SealedDevice::run_queue() {
  for (const std::function<void()>& action : std::exchange(queue_, {})) {
    lost_ = lost_ || actions_++ == options.lose_at;
    if (!lost_) action();
  }
  queued_bytes_ = 0;
}

Result<std::unique_ptr<Device>> make_test_device(int threads) {
  const char* wanted = std::getenv("LAVA_TEST_DEVICE");
  const CpuOptions cpu{.threads = threads, .pin = false};
  if (!wanted) return make_cpu_device(cpu);
  if (std::string_view(wanted) == "sealed") {
    LAVA_TRY(auto sealed, SealedDevice::create({.threads = threads}));
    return std::unique_ptr<Device>(std::move(sealed));
  }
  LAVA_TRY(const DeviceChoice choice, parse_device(wanted));
  LAVA_TRY(OpenedDevice opened, open_device(choice, cpu));
  return std::move(opened.module ? opened.module : opened.cpu);
}

}  // namespace lava::test
