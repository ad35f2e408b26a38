// Entry of linear: prepares x once for all targets, splits the outputs of all targets over the lanes, finishes with bias and activation.
#include "kernels/linear/linear_cpu.h"

#include "kernels/cpu/bf16_pairs.h"
#include "kernels/linear/prepared.h"

namespace lava::LAVA_ISA {

static int64_t groups_of(const LinearTarget& target) { return (target.weight.out + 15) / 16; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

struct PreparedX {
  const float* x;  // normed where that was asked for; valid where a target takes it
  int64_t x_stride;
  const std::byte *codes = nullptr, *bf16 = nullptr;  // null: no target takes it
};

// What the targets of one call take at this level.
struct Wanted {
  bool codes = false, bf16 = false, floats = false;
};

static Wanted wanted_by(const LinearArgs& a) {
  Wanted wanted;
  for (int t = 0; t < a.targets; ++t) {
    const bool codes = LAVA_INTEGER_DOTS && takes_prepared(a.target[t].weight), bf16 = LAVA_BF16_DOTS && takes_bf16(a.target[t].weight, a.x.extent[0]);
    wanted.codes |= codes, wanted.bf16 |= bf16, wanted.floats |= !codes && !bf16;
  }
  return wanted;
}

// One row is cheaper to prepare in every lane than to wait for: at the end of the lane's scratch, whose beginning the products take.
static PreparedX prepare_one(const LinearArgs& a, const Wanted& wanted, std::byte* own) {
  const int64_t in = a.x.extent[1];
  PreparedX x{a.x.as<float>(), 0};
  if (!a.norm.gain.empty()) {
    auto* normed = reinterpret_cast<float*>(own);
    norm_row(a, 0, normed);
    x.x = normed, own += LinearScratch::float_row_bytes(in);
  }
  if (wanted.codes) {
    prepare_rows(x.x, 0, in, 0, 1, own);
    x.codes = own;
  }
  return x;  // one row does not take BF16
}

// Several rows are shared among the lanes and meet in the scratch of the call.
static PreparedX prepare_shared(const LinearArgs& a, const Wanted& wanted, const Lane& lane) {
  const LinearScratch size(a);
  const bool normed = !a.norm.gain.empty();
  const int64_t in = a.x.extent[1], row_bytes = LinearScratch::float_row_bytes(in);
  std::byte *codes = a.scratch.data, *bf16 = codes + size.codes, *floats = bf16 + size.bf16;
  PreparedX x{a.x.as<float>(), a.x.stride[0], wanted.codes ? codes : nullptr, wanted.bf16 ? bf16 : nullptr};
  if (normed) x.x = reinterpret_cast<const float*>(floats), x.x_stride = row_bytes / static_cast<int64_t>(sizeof(float));
  const Span share = lane.share(a.x.extent[0]);
  for (int64_t i = share.begin; i < share.end; ++i) {
    // Rows that nobody reads in float32 stay in the cache: all in one place.
    auto* place = reinterpret_cast<float*>(wanted.floats ? floats + i * row_bytes : lane.scratch);
    if (normed) norm_row(a, i, place);
    const float* row = normed ? place : x.x + i * x.x_stride;
    if (wanted.codes) prepare_rows(row, 0, in, i, i + 1, codes);
    if (wanted.bf16) prepare_bf16_rows(row, 0, in, i, i + 1, bf16);
  }
  lane.sync();
  return x;
}

// x as the targets take it, visible to this lane when it returns.
static PreparedX prepare(const LinearArgs& a, const Lane& lane) {
  const Wanted wanted = wanted_by(a);
  const int64_t in = a.x.extent[1];
  if (!wanted.codes && !wanted.bf16 && a.norm.gain.empty()) return {a.x.as<float>(), a.x.stride[0]};
  const int64_t one = LinearScratch::float_row_bytes(in) + (static_cast<int64_t>(prepared_bytes(1, in)) + 63) / 64 * 64;
  if (a.x.extent[0] == 1 && one <= static_cast<int64_t>(Lane::scratch_bytes) / 4) return prepare_one(a, wanted, lane.scratch + Lane::scratch_bytes - one);
  return prepare_shared(a, wanted, lane);
}

// Groups of 16 outputs of one target, for some rows.
static void run_groups(const LinearArgs& a, int index, const PreparedX& x, Span rows, Span groups, const Lane& lane) {
  const LinearTarget& target = a.target[static_cast<size_t>(index)];
  const int64_t out_stride = target.out.stride[0], in = target.weight.in;
  LinearPart part{&target.weight, x.x + rows.begin * x.x_stride, x.x_stride, rows.end - rows.begin,
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
