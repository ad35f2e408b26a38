#include "kernels/selftest/selftest.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "kernels/call_list.h"
#include "kernels/compare.h"
#include "kernels/cpu/isa.h"
#include "kernels/selftest/cases.h"

namespace lava {
namespace {

using selftest_detail::Builder;
using selftest_detail::Case;

constexpr size_t memory_bytes = size_t{24} << 20;

// Marks the bytes of results.
class ResultMarks : public TensorVisitor {
 public:
  ResultMarks(const std::byte* base, size_t size) : marks(size), base_(base) {}
  void read(Tensor&) override {}
  void written(Tensor& t) override {
    tensors.push_back(t);
    for_each_value(t, [&](int64_t at) { std::fill_n(marks.begin() + (t.data - base_ + at), dtype_info(t.dtype).bytes, true); });
  }
  std::vector<bool> marks;
  std::vector<Tensor> tensors;

 private:
  const std::byte* base_;
};

// FNV-1a: a case keeps its numbers when others are added.
uint64_t seed_of(const Case& test) {
  uint64_t seed = 0xcbf29ce484222325u;
  for (const char c : op_info(test.op).name + test.name) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return seed;
}

class Runner {
 public:
  Runner(Device& device, Buffer& memory) : device_(device), base_(memory.data()), reference_(memory_bytes), before_(memory_bytes), scratch_(Lane::scratch_bytes + 64) {}

  Result<double> nmse_of(const Case& test, uint64_t seed) {
    Arena arena(base_, memory_bytes);
    auto* step = new (arena.allocate(sizeof(StepParams))) StepParams;
    CaptureDevice capture(device_.info());
    Run run{capture, arena, step};
    Builder builder(run, seed);
    test.body(builder);
    constexpr size_t guard = 4096;  // what stands behind must not change either
    used_ = arena.high_water() + guard;
    LAVA_CHECK(used_ <= memory_bytes);
    std::memset(base_ + arena.high_water(), 0x5a, guard);
    std::memcpy(before_.data(), base_, used_);
    for (size_t i = 0; i < capture.calls.size(); ++i) run_reference(capture.calls[i]);
    std::memcpy(reference_.data(), base_, used_);
    double worst = 0;
    for (const bool recorded : {false, true}) {
      std::memcpy(base_, before_.data(), used_);
      const auto execute = [&] {
        for (size_t i = 0; i < capture.calls.size(); ++i) device_.execute(capture.calls[i]);
      };
      const auto recording = recorded ? device_.record(execute) : nullptr;
      recording ? recording->replay() : execute();
      LAVA_CHECK_OK(device_.finish());
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

  double compare(CallList& calls) {
    ResultMarks results(base_, used_);
    for (size_t i = 0; i < calls.size(); ++i) {
      op_info(calls[i].id).visit(calls.args(i), results);
      if (calls[i].id != OpId::linear) continue;
      const Tensor& scratch = static_cast<const LinearArgs*>(calls[i].args)->scratch;  // what linear leaves there is nobody's business
      if (!scratch.empty()) std::fill_n(results.marks.begin() + (scratch.data - base_), scratch.bytes(), true);
    }
    for (size_t i = 0; i < used_; ++i) {
      if (!results.marks[i] && base_[i] != before_[i]) return std::numeric_limits<double>::infinity();
    }
    double worst = 0;
    for (const Tensor& t : results.tensors) {
      const int64_t at = t.data - base_;
      worst = std::max(worst, compare_changed(t, reference_.data() + at, before_.data() + at).nmse);
    }
    return worst;
  }

  Device& device_;
  std::byte* base_;
  size_t used_ = 0;
  std::vector<std::byte> reference_, before_, scratch_;
};

std::vector<Case> quick_cases() {
  constexpr int step = 8;
  std::vector<Case> chosen;
  std::map<OpId, int> seen;
  std::set<std::pair<OpId, std::string>> groups;
  for (Case& test : selftest_detail::all_cases()) {
    const bool first_of_group = groups.emplace(test.op, test.group).second;
    if (seen[test.op]++ % step == 0 || first_of_group) chosen.push_back(std::move(test));
  }
  return chosen;
}

}  // namespace

std::vector<SelftestRow> selftest(Device& device, std::string_view filter, SelftestSize size) {
  std::vector<SelftestRow> rows;
  auto memory = device.allocate(memory_bytes);
  if (!memory) return {{"memory", memory.error().message(), std::numeric_limits<double>::infinity(), 0, false}};
  Runner runner(device, **memory);
  for (const Case& test : size == SelftestSize::quick ? quick_cases() : selftest_detail::all_cases()) {
    if (!filter.empty() && filter != op_info(test.op).name) continue;
    const Result<double> nmse = runner.nmse_of(test, seed_of(test));
    SelftestRow row{op_info(test.op).name, test.name, nmse.value_or(std::numeric_limits<double>::infinity()), test.limit, false, test.group};
    row.ok = row.nmse <= row.limit;
    if (!nmse) row.name += ": " + nmse.error().message();
    rows.push_back(std::move(row));
    if (!nmse && nmse.error().kind == Error::Kind::device_lost) break;
  }
  return rows;
}

}  // namespace lava
