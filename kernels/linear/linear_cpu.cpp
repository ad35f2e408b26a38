// Entry of linear: prepares x once for all targets, splits the outputs of all targets over the lanes, finishes with bias and activation.
#include "kernels/linear/linear_cpu.h"

#include "kernels/cpu/bf16_tile.h"
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
    std::byte* own = a.scratch.data + a.scratch.bytes() - bf16_bytes(rows, in);
    prepare_bf16_rows(a.x.as<float>(), a.x.stride[0], in, share.begin, share.end, own);
    x.bf16 = own;
  }
  lane.sync();
  return x;
}

static void multiply(const LinearTarget& target, const PreparedX& x, LinearPart part, int64_t all_rows, int64_t first_row) {
  const int64_t in = target.weight.in;
  if (x.bf16 && takes_bf16(target.weight, all_rows)) {
    part.prepared = x.bf16 + bf16_bytes(first_row, in);
    return linear_bf16(part);
  }
  if (!x.codes || !takes_prepared(target.weight)) return linear_exact(part);
  part.prepared = x.codes + prepared_bytes(first_row, in);
  linear_fast(part);
}

static void finish(const LinearTarget& target, const LinearPart& part) {
  if (target.bias.empty() && target.activation == Activation::none) return;
  const int64_t begin = part.group_begin * 16, end = smaller(part.group_end * 16, target.weight.out);
  const float* bias = target.bias.empty() ? nullptr : target.bias.as<float>() + begin;
  for (int64_t i = 0; i < part.rows; ++i) linear_finish(part.out + i * part.out_stride + begin, bias, end - begin, target.activation);
}

void linear(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  int64_t groups = 0;
  for (int t = 0; t < a.targets; ++t) groups += groups_of(a.target[t]);
  const PreparedX prepared = prepare(a, lane);
  // Few outputs and many rows: lanes share the rows, each widening all weights.
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
    const LinearPart part{&target.weight, a.x.as<float>() + rows.begin * x_stride, x_stride, rows.end - rows.begin,
                          target.out.as<float>() + rows.begin * out_stride, out_stride, begin, end, target.accumulate, nullptr, lane.scratch};
    multiply(target, prepared, part, a.x.extent[0], rows.begin);
    finish(target, part);
  }
}

}  // namespace lava::LAVA_ISA
