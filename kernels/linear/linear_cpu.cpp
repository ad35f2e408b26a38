// Entry of linear: prepares x once for all targets, splits the outputs of all targets over the lanes, finishes with bias and activation.
#include "kernels/linear/linear_cpu.h"

#include "kernels/linear/prepared.h"

namespace lava::LAVA_ISA {

static int64_t groups_of(const LinearTarget& target) { return (target.weight.out + 15) / 16; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// Prepared x, visible to this lane when it returns. A single row is cheaper to prepare in every lane than to wait for.
static const std::byte* prepare(const LinearArgs& a, const Lane& lane) {
  const int64_t rows = a.x.extent[0], in = a.x.extent[1];
  if (rows == 1 && prepared_bytes(1, in) <= Lane::scratch_bytes / 4) {
    std::byte* own = lane.scratch + Lane::scratch_bytes - (prepared_bytes(1, in) + 63) / 64 * 64;
    prepare_rows(a.x.as<float>(), a.x.stride[0], in, 0, 1, own);
    return own;
  }
  const Span share = lane.share(rows);
  prepare_rows(a.x.as<float>(), a.x.stride[0], in, share.begin, share.end, a.scratch.data);
  lane.sync();
  return a.scratch.data;
}

static void run_part(const LinearTarget& target, LinearPart part) {
  if (part.prepared && takes_prepared(target.weight)) {
    linear_fast(part);
  } else {
    linear_exact(part);
  }
  if (target.bias.empty() && target.activation == Activation::none) return;
  const int64_t begin = part.group_begin * 16, end = smaller(part.group_end * 16, target.weight.out);
  const float* bias = target.bias.empty() ? nullptr : target.bias.as<float>() + begin;
  for (int64_t i = 0; i < part.rows; ++i) linear_finish(part.out + i * part.out_stride + begin, bias, end - begin, target.activation);
}

void linear(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  int64_t groups = 0;
  bool prepared = false;
  for (int t = 0; t < a.targets; ++t) {
    groups += groups_of(a.target[t]);
    prepared |= LAVA_INTEGER_DOTS && takes_prepared(a.target[t].weight);
  }
  const std::byte* x8 = prepared ? prepare(a, lane) : nullptr;
  // Few outputs and many rows: lanes share the rows, each widening all weights.
  const int64_t in = a.x.extent[1];
  const bool by_rows = groups < 4 * lane.count && a.x.extent[0] >= 16 * lane.count;
  const Span rows = by_rows ? lane.share(a.x.extent[0]) : Span{0, a.x.extent[0]};
  const Span share = by_rows ? Span{0, groups} : lane.share(groups);
  int64_t first = 0;
  for (int t = 0; t < a.targets; ++t) {
    const LinearTarget& target = a.target[t];
    const int64_t count = groups_of(target);
    const int64_t begin = larger(share.begin - first, 0), end = smaller(share.end - first, count);
    first += count;
    if (begin >= end || rows.begin >= rows.end) continue;
    const int64_t x_stride = a.x.stride[0], out_stride = target.out.stride[0];
    run_part(target, {&target.weight, a.x.as<float>() + rows.begin * x_stride, x_stride, rows.end - rows.begin,
                      target.out.as<float>() + rows.begin * out_stride, out_stride, begin, end, target.accumulate,
                      x8 ? x8 + prepared_bytes(rows.begin, in) : nullptr, lane.scratch});
  }
}

}  // namespace lava::LAVA_ISA
