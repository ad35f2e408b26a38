#include "engine/cli/bench_op_timing.h"

#include <algorithm>

#include "engine/cli/bench.h"

namespace lava::bench {
namespace {

constexpr size_t beyond_caches = size_t{160} << 20;
constexpr int most_copies = 64;
constexpr double batch_seconds = 5e-3;  // beside which waiting for a device counts little
constexpr int most_recorded = 2048;     // ops
constexpr double patience = 10;         // budgets, after which one look must do

// Memory as the op wants it, several times, and its calls on each.
struct Prepared {
  std::unique_ptr<Buffer> step, memory;
  CallList calls;
  size_t calls_of_copy = 0;
  int copies = 0;
};

size_t arena_bytes(const DeviceInfo& info, const OpCase& one) {
  CaptureDevice capture(info);
  Arena arena;
  StepParams step;
  Run run{capture, arena, &step};
  OpBuilder builder(run);
  one.body(builder);
  return arena.high_water();
}

// Fewer copies where the device has less memory.
Result<std::unique_ptr<Buffer>> allocate_copies(Device& device, size_t bytes, int& copies) {
  for (;; copies /= 2) {
    auto memory = device.allocate(bytes * static_cast<size_t>(copies), BufferUse::own);
    if (memory || copies == 1 || memory.error().kind != Error::Kind::out_of_memory) return memory;
  }
}

// The first copy is filled from the host, the others on the device.
Result<Prepared> prepare(Device& device, const OpCase& one) {
  Prepared p;
  const size_t bytes = arena_bytes(device.info(), one);
  p.copies = one.from_memory ? std::clamp(static_cast<int>(beyond_caches / bytes) + 1, 2, most_copies) : 1;
  LAVA_TRY(p.memory, allocate_copies(device, bytes, p.copies));
  LAVA_TRY(p.step, device.allocate(sizeof(StepParams)));
  auto* step = new (p.step->data()) StepParams;
  CaptureDevice capture(device.info());
  for (int i = 0; i < p.copies; ++i) {
    std::byte* const at = p.memory->data() + static_cast<size_t>(i) * bytes;
    Arena arena(at, bytes);
    Run run{capture, arena, step};
    OpBuilder builder(run, i == 0 ? &device : nullptr);
    one.body(builder);
    if (i == 0) p.calls_of_copy = capture.calls.size();
    if (i > 0) device.copy(at, p.memory->data(), bytes);
  }
  step->limit = step->past + 1;  // what attention is sized by in a recording
  p.calls = std::move(capture.calls);
  LAVA_CHECK_OK(device.finish());
  return p;
}

class Timer {
 public:
  Timer(Device& device, Prepared& prepared) : device_(device), p_(prepared) {}

  // On the processor a round is every copy once, op by op. Elsewhere ops are recorded, as in a model: giving each by itself may take longer
  // than what it does.
  Result<void> set_up(double budget) {
    if (device_.info().host_memory) return {};
    LAVA_CHECK_OK(timed([&] { execute(1); }));  // compiles what has to be
    LAVA_TRY(const double call, timed([&] { execute(1); }));
    p_.copies = std::clamp(static_cast<int>(std::min(patience * budget / call, 1e6)), 1, p_.copies);
    const double pass = call * p_.copies;
    const size_t most = std::max<size_t>(1, most_recorded / calls());
    passes_ = std::clamp<size_t>(static_cast<size_t>(batch_seconds / pass), 1, most);
    recording_ = device_.record([&] {
      for (size_t i = 0; i < passes_; ++i) execute(p_.copies);
    });
    return {};
  }

  // Seconds of one call of the op.
  Result<double> round() {
    LAVA_TRY(const double taken, timed([&] { recording_ ? recording_->replay() : execute(p_.copies); }));
    return taken / static_cast<double>(passes_) / p_.copies;
  }
  double calls_of_round() const { return static_cast<double>(passes_) * p_.copies; }

 private:
  size_t calls() const { return p_.calls_of_copy * static_cast<size_t>(p_.copies); }
  void execute(int copies) {
    for (size_t i = 0; i < p_.calls_of_copy * static_cast<size_t>(copies); ++i) device_.execute(p_.calls[i]);
  }
  Result<double> timed(const std::function<void()>& give) {
    Result<void> finished;
    const double seconds = seconds_of([&] {
      give();
      finished = device_.finish();
    });
    if (!finished) return tl::unexpected<Error>(std::move(finished).error());
    return std::max(seconds, 1e-9);
  }

  Device& device_;
  Prepared& p_;
  std::unique_ptr<Recording> recording_;
  size_t passes_ = 1;
};

Result<OpTiming> time_prepared(Device& device, Prepared p, double budget) {
  OpTiming timing;
  timing.ops = static_cast<int>(p.calls_of_copy);
  for (size_t i = 0; i < p.calls_of_copy; ++i) timing.work += work_of(p.calls[i]);
  Timer timer(device, p);
  LAVA_CHECK_OK(timer.set_up(budget));
  std::vector<double> times;
  const auto enough = [&](double all) { return (times.size() >= 3 && all >= budget) || all >= std::max(patience * budget, 1.0); };
  for (double all = 0; times.empty() || !enough(all);) {
    LAVA_TRY(const double seconds, timer.round());
    times.push_back(seconds), all += seconds * timer.calls_of_round();
  }
  if (times.size() > 1) times.erase(times.begin());  // the first one warms up
  timing.seconds = median_of(std::move(times)), timing.copies = p.copies;
  return timing;
}

}  // namespace

Result<OpTiming> time_op(Device& device, const OpCase& one, double budget) {
  auto prepared = prepare(device, one);
  auto timing = prepared ? time_prepared(device, std::move(*prepared), budget) : Result<OpTiming>(tl::unexpected<Error>(std::move(prepared).error()));
  if (!timing) {
    std::string& cause = timing.error().cause;
    cause += (cause.empty() ? "" : ", ") + std::string("when ") + op_info(one.op).name + " was measured (" + one.shape + ")";
  }
  return timing;
}

}  // namespace lava::bench
