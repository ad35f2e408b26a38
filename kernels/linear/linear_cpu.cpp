// Entry of linear: prepares x once for all targets, splits the outputs of all targets over the lanes, finishes with bias and activation.
#include "kernels/linear/linear_cpu.h"

#include "kernels/cpu/bf16_pairs.h"
#include "kernels/linear/prepared.h"

namespace lava::LAVA_ISA {

static int64_t groups_of(const LinearTarget& target) { return (target.weight.out + 15) / 16; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

struct PreparedX {
  const std::byte *codes = nullptr, *bf16 = nullptr;  // null: no target wants it
};

// Prepared x, visible to this lane when it returns. A single row is cheaper to prepare in every lane than to wait for.
static PreparedX prepare(const LinearArgs& a, const Lane& lane) {
  const int64_t rows = a.x.extent[0], in = a.x.extent[1];
  bool codes = false, bf16 = false;
  for (int t = 0; t < a.targets; ++t) {
    codes |= LAVA_INTEGER_DOTS && takes_prepared(a.target[t].weight);
    bf16 |= LAVA_BF16_DOTS && takes_bf16(a.target[t].weight, rows);
  }
  if (!codes && !bf16) return {};
  if (rows == 1 && prepared_bytes(1, in) <= Lane::scratch_bytes / 4) {
    std::byte* own = lane.scratch + Lane::scratch_bytes - (prepared_bytes(1, in) + 63) / 64 * 64;
    prepare_rows(a.x.as<float>(), a.x.stride[0], in, 0, 1, own);
    return {own, nullptr};  // one row does not take BF16
  }
  const Span share = lane.share(rows);
  PreparedX x;
  if (codes) {
    prepare_rows(a.x.as<float>(), a.x.stride[0], in, share.begin, share.end, a.scratch.data);
    x.codes = a.scratch.data;
  }
  if (bf16) {
    std::byte* own = a.scratch.data + a.scratch.extent[0] - static_cast<int64_t>(bf16_bytes(rows, in));
    prepare_bf16_rows(a.x.as<float>(), a.x.stride[0], in, share.begin, share.end, own);
    x.bf16 = own;
  }
  lane.sync();
  return x;
}

// Groups of 16 outputs of one target, for some rows.
static void run_groups(const LinearArgs& a, int index, const PreparedX& x, Span rows, Span groups, const Lane& lane) {
  const LinearTarget& target = a.target[static_cast<size_t>(index)];
  const int64_t x_stride = a.x.stride[0], out_stride = target.out.stride[0], in = target.weight.in;
  LinearPart part{&target.weight, a.x.as<float>() + rows.begin * x_stride, x_stride, rows.end - rows.begin,
                  target.out.as<float>() + rows.begin * out_stride, out_stride, groups.begin, groups.end, target.accumulate, nullptr, lane.scratch};
  if (x.bf16 && takes_bf16(target.weight, a.x.extent[0])) {
    part.prepared = x.bf16 + bf16_bytes(rows.begin, in);
    linear_bf16(part);
  } else if (x.codes && takes_prepared(target.weight)) {
    part.prepared = x.codes + prepared_bytes(rows.begin, in);
    linear_fast(part);
  } else {
    linear_exact(part);
  }
  if (target.bias.empty() && target.activation == Activation::none) return;
  const int64_t begin = groups.begin * 16, end = smaller(groups.end * 16, target.weight.out);
  const float* bias = target.bias.empty() ? nullptr : target.bias.as<float>() + begin;
  for (int64_t i = 0; i < part.rows; ++i) linear_finish(part.out + i * out_stride + begin, bias, end - begin, target.activation);
}

// Both targets of a few outputs, then their product while they are in the cache.
static void run_gated(const LinearArgs& a, const PreparedX& x, Span rows, Span groups, const Lane& lane) {
  constexpr int64_t together = 4;  // groups: a panel of the kernels
  const Tensor &out = a.target[0].out, &factor = a.target[1].out;
  const int64_t step = rows.end - rows.begin > 1 ? together : groups.end - groups.begin;
  for (int64_t g = groups.begin; g < groups.end; g += step) {
    const Span part{g, smaller(g + step, groups.end)};
    run_groups(a, 0, x, rows, part, lane);
    run_groups(a, 1, x, rows, part, lane);
    const int64_t begin = 16 * part.begin, count = smaller(16 * part.end, a.target[0].weight.out) - begin;
    for (int64_t i = rows.begin; i < rows.end; ++i) linear_gate(out.as<float>() + i * out.stride[0] + begin, factor.as<float>() + i * factor.stride[0] + begin, count);
  }
}

void linear(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  int64_t groups = 0;
  const int shared = a.gated ? 1 : a.targets;  // targets whose groups stand in one line; gated ones are taken side by side
  for (int t = 0; t < shared; ++t) groups += groups_of(a.target[t]);
  const PreparedX prepared = prepare(a, lane);
  // Few outputs and many rows: lanes share the rows, each widening all weights.
  const bool by_rows = groups < 4 * lane.count && a.x.extent[0] >= 16 * lane.count;
  const Span rows = by_rows ? lane.share(a.x.extent[0]) : Span{0, a.x.extent[0]};
  const Span share = by_rows ? Span{0, groups} : lane.share(groups);
  if (rows.begin >= rows.end) return;
  if (a.gated) return run_gated(a, prepared, rows, share, lane);
  int64_t first = 0;
  for (int t = 0; t < a.targets; ++t) {
    const int64_t count = groups_of(a.target[t]);
    const Span own{larger(share.begin - first, 0), smaller(share.end - first, count)};
    first += count;
    if (own.begin < own.end) run_groups(a, t, prepared, rows, own, lane);
  }
}

}  // namespace lava::LAVA_ISA
