#include "kernels/selftest/selftest.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/cpu/isa.h"
#include "kernels/half.h"
#include "kernels/selftest/cases.h"

namespace lava {
namespace {

using selftest_detail::Builder;
using selftest_detail::Case;

constexpr size_t memory_bytes = size_t{24} << 20;

// Keeps the calls that a case makes instead of running them.
class CaptureDevice : public Device {
 public:
  struct Call {
    OpId id;
    uint32_t size;
    alignas(16) std::byte args[max_op_args];
    OpCall view() const { return {id, args, size}; }
  };
  std::vector<Call> calls;

  const DeviceInfo& info() const override { return info_; }
  Result<std::unique_ptr<Buffer>> allocate(size_t) override { return fail(Error::Kind::unsupported, "This device has no memory"); }
  void execute(const OpCall& call) override {
    calls.push_back({call.id, call.size, {}});
    std::memcpy(calls.back().args, call.args, call.size);
  }
  std::unique_ptr<Recording> record(const std::function<void()>&) override { return nullptr; }

 private:
  DeviceInfo info_{"capture", "capture", "none", 1};
};

// Marks the bytes of results.
class ResultMarks : public TensorVisitor {
 public:
  ResultMarks(const std::byte* base, size_t size) : marks(size), base_(base) {}
  void read(Tensor&) override {}
  void written(Tensor& t) override {
    tensors.push_back(t);
    const int64_t size = dtype_info(t.dtype).bytes;
    const auto& e = t.extent;
    for (int64_t i = 0; i < t.elements(); ++i) {
      int64_t rest = i, at = 0;
      for (int axis = t.rank - 1; axis >= 0; --axis) at += rest % e[axis] * t.stride[axis], rest /= e[axis];
      std::fill_n(marks.begin() + (t.data - base_ + at * size), size, true);
    }
  }
  std::vector<bool> marks;
  std::vector<Tensor> tensors;

 private:
  const std::byte* base_;
};

class Runner {
 public:
  Runner(Device& device, Buffer& memory) : device_(device), base_(memory.data()), reference_(memory_bytes), before_(memory_bytes), scratch_(Lane::scratch_bytes + 64) {}

  double nmse_of(const Case& test, uint64_t seed) {
    std::memset(base_, 0x5a, memory_bytes);
    Arena arena(base_, memory_bytes);
    auto* step = new (arena.allocate(sizeof(StepParams))) StepParams;
    CaptureDevice capture;
    Run run{capture, arena, step};
    Builder builder(run, seed);
    test.body(builder);
    used_ = arena.high_water() + 4096;  // and what stands behind
    std::memcpy(before_.data(), base_, used_);
    for (const auto& call : capture.calls) run_reference(call.view());
    std::memcpy(reference_.data(), base_, used_);
    double worst = 0;
    for (const bool recorded : {false, true}) {
      std::memcpy(base_, before_.data(), used_);
      const auto execute = [&] {
        for (const auto& call : capture.calls) device_.execute(call.view());
      };
      recorded ? device_.record(execute)->replay() : execute();
      worst = std::max(worst, compare(capture.calls));
    }
    return worst;
  }

 private:
  void run_reference(const OpCall& call) {
    const Kernel kernel = reference_kernels()[static_cast<int>(call.id)];
    LAVA_CHECK(kernel != nullptr);
    Lane lane;
    lane.scratch = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(scratch_.data()) + 63) / 64 * 64);
    kernel(call.args, lane);
  }

  double compare(std::vector<CaptureDevice::Call>& calls) {
    ResultMarks results(base_, used_);
    for (auto& call : calls) op_info(call.id).visit(call.args, results);
    std::vector<Tensor> scratch;
    for (auto& call : calls) {  // what linear leaves in its scratch is nobody's business
      if (call.id != OpId::linear) continue;
      const Tensor& s = reinterpret_cast<const LinearArgs*>(call.args)->scratch;
      if (!s.empty()) std::fill_n(results.marks.begin() + (s.data - base_), s.bytes(), true);
    }
    for (size_t i = 0; i < used_; ++i) {
      if (!results.marks[i] && base_[i] != before_[i]) return std::numeric_limits<double>::infinity();
    }
    double worst = 0;
    for (const Tensor& t : results.tensors) worst = std::max(worst, nmse_of_changed(t));
    return worst;
  }

  template <class T>
  double value(const std::vector<std::byte>& memory, int64_t offset) const {
    T bits;
    std::memcpy(&bits, memory.data() + offset, sizeof(T));
    if constexpr (sizeof(T) == 2) return half_to_float(bits);
    return bits;
  }

  // Over the values that either side changed: in a cache the untouched rest would hide a difference.
  double nmse_of_changed(const Tensor& t) const {
    double error = 0, power = 0;
    const int64_t size = dtype_info(t.dtype).bytes;
    for (int64_t i = 0; i < t.elements(); ++i) {
      int64_t rest = i, at = t.data - base_;
      for (int axis = t.rank - 1; axis >= 0; --axis) at += rest % t.extent[axis] * t.stride[axis] * size, rest /= t.extent[axis];
      const bool changed = std::memcmp(base_ + at, before_.data() + at, size) != 0 || std::memcmp(reference_.data() + at, before_.data() + at, size) != 0;
      if (!changed) continue;
      double expected, actual;
      if (size == 2) {
        expected = value<uint16_t>(reference_, at);
        actual = half_to_float(*reinterpret_cast<const uint16_t*>(base_ + at));
      } else {
        expected = value<float>(reference_, at);
        actual = *reinterpret_cast<const float*>(base_ + at);
      }
      if (std::isnan(actual)) return std::numeric_limits<double>::infinity();
      error += (actual - expected) * (actual - expected), power += expected * expected;
    }
    return error == 0 ? 0 : power == 0 ? std::numeric_limits<double>::infinity() : error / power;
  }

  Device& device_;
  std::byte* base_;
  size_t used_ = 0;
  std::vector<std::byte> reference_, before_, scratch_;
};

}  // namespace

std::vector<SelftestRow> selftest(Device& device, std::string_view filter) {
  std::vector<SelftestRow> rows;
  auto memory = device.allocate(memory_bytes);
  if (!memory) return {{"memory", memory.error().message(), std::numeric_limits<double>::infinity(), 0, false}};
  Runner runner(device, **memory);
  uint64_t seed = 1;
  for (const Case& test : selftest_detail::all_cases()) {
    ++seed;
    if (!filter.empty() && filter != op_info(test.op).name) continue;
    SelftestRow row{op_info(test.op).name, test.name, runner.nmse_of(test, seed), test.limit, false};
    row.ok = row.nmse <= row.limit;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace lava
