// Checks of linear.
#include "kernels/linear/linear.h"

#include "kernels/ops.h"
#include "kernels/rows.h"

namespace lava {
namespace {

bool is_f32_matrix(const Tensor& t) { return t.dtype == DType::f32 && t.rank == 2 && (t.extent[1] == 1 || t.stride[1] == 1); }

// Leading extents become rows; a rank-1 tensor is one row.
Tensor as_matrix(const Tensor& t) { return t.rank == 2 ? t : t.reshape({t.rows(), t.width()}); }

void check_target(const LinearTarget& target, const Tensor& x) {
  const Matrix& w = target.weight;
  LAVA_CHECK(!w.empty() && w.in == x.extent[1] && w.in % dtype_info(w.format).block == 0);
  LAVA_CHECK(w.layout == MatrixLayout::rows || can_interleave(w.format));
  LAVA_CHECK(is_f32_matrix(target.out) && target.out.extent[0] == x.extent[0] && target.out.extent[1] == w.out);
  LAVA_CHECK(target.bias.empty() || (target.bias.dtype == DType::f32 && target.bias.contiguous() && target.bias.elements() == w.out));
  LAVA_CHECK(!target.accumulate || target.activation == Activation::none);
}

}  // namespace

namespace ops {
namespace {

void run_linear(Run& run, std::span<const LinearTarget> targets, const Tensor& x, const RmsNorm& norm, bool gated) {
  LAVA_CHECK(!targets.empty() && targets.size() <= LinearArgs().target.size() && !x.empty());
  LinearArgs args;
  args.gated = gated;
  args.x = as_matrix(x);
  LAVA_CHECK(is_f32_matrix(args.x));
  args.targets = static_cast<int32_t>(targets.size());
  auto scope = run.arena.scope();
  for (size_t i = 0; i < targets.size(); ++i) {
    args.target[i] = targets[i];
    args.target[i].out = as_matrix(targets[i].out);
    check_target(args.target[i], args.x);
  }
  if (args.x.extent[0] == 0) return;
  if (run.device.info().fuses) {
    LAVA_CHECK(norm.gain.empty() || (is_vector(norm.gain, args.x.extent[1]) && norm.eps >= 0));
    args.norm = norm;
  } else if (!norm.gain.empty()) {
    const Tensor normed = run.arena.f32({args.x.extent[0], args.x.extent[1]});
    rms_norm(run, normed, args.x, norm.gain, norm.eps);
    args.x = normed;
  }
  if (const size_t bytes = args.scratch_bytes(); bytes > 0) args.scratch = run.arena.tensor(DType::u8, {static_cast<int64_t>(bytes)});
  run.execute(args);
}

}  // namespace

void linear(Run& run, std::span<const LinearTarget> targets, const Tensor& x, const RmsNorm& norm) { run_linear(run, targets, x, norm, false); }

void linear_glu(Run& run, const LinearTarget& gate, const LinearTarget& up, const Tensor& x, const RmsNorm& norm) {
  LAVA_CHECK(gate.weight.out == up.weight.out && !gate.accumulate && !up.accumulate);
  run_linear(run, std::array{gate, up}, x, norm, true);
}

}  // namespace ops
}  // namespace lava
