#include "kernels/shadow.h"

#include <algorithm>

#include "kernels/attention/attention.h"
#include "kernels/compare.h"
#include "kernels/cpu/isa.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/prepared.h"

namespace lava {
namespace {

// Bytes between the first and the last value of a tensor, strides included.
struct Extent {
  std::byte *begin, *end;
};

Extent extent_of(const Tensor& t) {
  int64_t low = 0, high = 0;
  for (int i = 0; i < t.rank; ++i) {
    const int64_t reach = (t.extent[i] - 1) * t.stride[i];
    reach < 0 ? low += reach : high += reach;
  }
  return {t.data + low * dtype_info(t.dtype).bytes, t.data + row_bytes(t.dtype, high + 1)};  // low: 0 where values come in blocks
}

struct Collector : TensorVisitor {
  void read(Tensor& t) override { tensors.push_back(&t); }
  void written(Tensor& t) override { tensors.push_back(&t), results.push_back(&t); }
  std::vector<Tensor*> tensors, results;
};

// A stretch of memory that tensors of the op share, as it was before the op and as the reference changes it.
struct Stretch {
  Extent original;
  std::vector<std::byte> before, copy;
};

std::vector<Stretch> snapshot(const std::vector<Tensor*>& tensors) {
  std::vector<Extent> extents;
  for (const Tensor* t : tensors) {
    if (!t->empty() && t->elements() > 0) extents.push_back(extent_of(*t));
  }
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  std::vector<Stretch> stretches;
  for (const Extent& e : extents) {
    if (stretches.empty() || e.begin >= stretches.back().original.end) stretches.push_back({e, {}, {}});
    else stretches.back().original.end = std::max(stretches.back().original.end, e.end);
  }
  for (Stretch& s : stretches) {
    s.before.assign(s.original.begin, s.original.end);
    s.copy = s.before;
  }
  return stretches;
}

Stretch& stretch_of(std::vector<Stretch>& stretches, const Tensor& t) {
  const auto found = std::find_if(stretches.begin(), stretches.end(), [&](const Stretch& s) { return t.data >= s.original.begin && t.data < s.original.end; });
  LAVA_CHECK(found != stretches.end());
  return *found;
}

// Products of rounded activations are meant to differ from the reference.
double limit_of(const OpCall& call, double limit) {
  constexpr double fast_limit = 3e-4;
  if (call.id == OpId::attention && static_cast<const AttentionArgs*>(call.args)->precision != Precision::exact) return std::max(limit, fast_limit);
  if (call.id != OpId::linear) return limit;
  const auto& args = *static_cast<const LinearArgs*>(call.args);
  for (int i = 0; i < args.targets; ++i) {
    const Matrix& weight = args.target[static_cast<size_t>(i)].weight;
    if (takes_prepared(weight) || takes_bf16(weight, args.x.rows())) return std::max(limit, fast_limit);
  }
  return limit;
}

}  // namespace

std::unique_ptr<ShadowDevice> make_shadow_device(Device& inner, double nmse_limit) { return std::make_unique<ShadowDevice>(inner, nmse_limit); }

void ShadowDevice::observe(const OpCall& call) {
  CallList copies;
  copies.append(call);
  Collector collector;
  op_info(call.id).visit(copies.args(0), collector);
  std::vector<Stretch> stretches = snapshot(collector.tensors);
  std::vector<Tensor> originals;
  for (const Tensor* t : collector.results) originals.push_back(*t);
  for (Tensor* t : collector.tensors) {
    if (t->empty() || t->elements() == 0) continue;
    Stretch& s = stretch_of(stretches, *t);
    t->data = s.copy.data() + (t->data - s.original.begin);
  }
  inner_.execute(call);

  const Kernel reference = reference_kernels()[static_cast<int>(call.id)];
  LAVA_CHECK(reference != nullptr);
  Lane lane;
  lane.scratch = reinterpret_cast<std::byte*>((reinterpret_cast<uintptr_t>(scratch_.data()) + 63) / 64 * 64);
  reference(copies[0].args, lane);
  for (const Tensor& original : originals) {
    if (original.empty() || original.elements() == 0) continue;
    const Stretch& s = stretch_of(stretches, original);
    const int64_t at = original.data - s.original.begin;
    const Comparison found = compare_changed(original, s.copy.data() + at, s.before.data() + at);
    worst_ = std::max(worst_, found.nmse);
    if (found.nmse > limit_of(call, limit_) && first_.op.empty()) first_ = {op_info(call.id).name, calls_, found.nmse, found.max_abs};
  }
  ++calls_;
}

}  // namespace lava
