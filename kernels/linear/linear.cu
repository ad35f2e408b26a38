// Entry of linear: chooses a kernel for each target (kernels/cuda/plan.h), and gives neighbours of one format to one launch.
#include "kernels/linear/linear_cuda.cuh"
#include "kernels/norm/norm_cuda.cuh"

namespace lava::cuda {
namespace {

// out *= factor
__global__ void gate_kernel(float* out, int64_t out_stride, const float* factor, int64_t factor_stride, int64_t width, int64_t values) {
  const int64_t i = global_index();
  if (i >= values) return;
  out[i / width * out_stride + i % width] *= factor[i / width * factor_stride + i % width];
}

void gate(const LinearTarget& gate, const LinearTarget& up, Stream& stream) {
  constexpr int threads = 256;
  launch(stream, gate_kernel, blocks_for(gate.out.elements(), threads), threads, 0, gate.out.as<float>(), gate.out.stride[0], up.out.as<float>(),
         up.out.stride[0], int64_t{gate.weight.out}, gate.out.elements());
}

// `scratch`: for rounded rows.
void gemm_rounded(const TargetRun& run, const Activations& x, std::byte* scratch, Stream& stream) {
  const bool library = stream.blas() && takes_library(run.target[0].weight, x.rows);
  const RoundedRows rounded = library ? round_rows(x, run.target[0].weight.format, scratch, stream) : RoundedRows{};
  for (int t = 0; t < run.count; ++t) {
    if (!library || !gemm_library(run.target[t], x, rounded, stream)) gemm_bf16(run.target[t], x, stream);
  }
}

// Parts of LinearArgs::scratch.
struct Scratch {
  std::byte *codes, *rounded;
};

// What products read of x: the row as it is, which they norm for themselves (`step`), or what prepare() made of the rows.
struct Input {
  Activations x;
  RowNorm norm;
  bool step;
  Scratch scratch;
};

void run_path(LinearPath path, const TargetRun& run, const Input& input, Stream& stream) {
  const Activations& x = input.x;
  switch (path) {
    case LinearPath::gemv_fast: return input.step ? gemv_step(run, x, input.norm, stream) : gemv_fast(run, x, input.scratch.codes, stream);
    case LinearPath::gemv_exact: return gemv_exact(run, x, stream);
    case LinearPath::gemv_rows: return gemv_rows(run, x, input.norm, stream);
    case LinearPath::gemm_packed:
      if (stream.panel() && takes_panels(run.target[0].weight, x.rows)) return gemm_panels(run, x, input.scratch.codes, stream);
      gemm_packed(run, x, input.scratch.codes, stream);
      break;
    case LinearPath::gemm_bf16: gemm_rounded(run, x, input.scratch.rounded, stream); break;
    case LinearPath::gemm_f32:
      for (int t = 0; t < run.count; ++t) gemm_f32(run.target[t], x, stream);
      break;
  }
  if (run.gated) gate(run.target[0], run.target[1], stream);
}

bool together(const LinearTarget& a, const LinearTarget& b, int64_t rows) {
  return a.weight.format == b.weight.format && linear_path(a.weight, rows) == linear_path(b.weight, rows);
}

// The norm goes into the kernel that makes codes where all targets take those; otherwise normed rows are written in float32.
Input prepare(const LinearArgs& a, const LinearScratch& sizes, Stream& stream) {
  Activations x{a.x.as<float>(), a.x.stride[0], a.x.extent[0], a.x.extent[1]};
  const RowNorm norm = a.norm.gain.empty() ? RowNorm{} : RowNorm{a.norm.gain.as<float>(), a.norm.eps};
  const Scratch scratch{a.scratch.data, a.scratch.data + sizes.codes};
  LAVA_CHECK(sizes.bytes() == 0 || (!a.scratch.empty() && a.scratch.bytes() >= sizes.bytes()));
  int codes = 0, steps = 0;
  for (int t = 0; t < a.targets; ++t) {
    const Matrix& weight = a.target[static_cast<size_t>(t)].weight;
    codes += linear_path(weight, x.rows) == LinearPath::gemv_fast, steps += takes_step(weight, x.rows);
  }
  if (steps == a.targets) return {x, norm, true, scratch};
  const bool together = codes == a.targets;
  if (norm.gain && !together) {
    Tensor floats(DType::f32, {x.rows, x.in}, a.scratch.data + sizes.codes + sizes.bf16);
    floats.stride[0] = LinearScratch::float_row_bytes(x.in) / 4;
    norm_rows(floats, a.x, a.norm.gain, a.norm.eps, stream);
    x.data = floats.as<float>(), x.stride = floats.stride[0];
  }
  if (codes > 0) prepare_codes(x, together ? norm : RowNorm{}, scratch.codes, stream);
  return {x, {}, false, scratch};
}

}  // namespace

void linear(const void* args, Stream& stream) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  const Input input = prepare(a, LinearScratch(a), stream);
  const LinearTarget* targets = a.target.data();
  for (int first = 0; first < a.targets;) {
    int end = first + 1;
    while (end < a.targets && together(targets[first], targets[end], input.x.rows)) ++end;
    const bool pair = a.gated && end - first == 2;
    run_path(linear_path(targets[first].weight, input.x.rows), {targets + first, end - first, pair}, input, stream);
    first = end;
  }
  if (a.gated && !together(targets[0], targets[1], input.x.rows)) gate(targets[0], targets[1], stream);
}

}  // namespace lava::cuda
