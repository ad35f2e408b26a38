// Entry of linear: chooses a kernel for each target (kernels/cuda/plan.h), and gives neighbours of one format to one launch.
#include "kernels/linear/linear_cuda.cuh"
#include "kernels/norm/norm_cuda.cuh"

namespace lava::cuda {
namespace {

// A warp's 32 values become codes; lane i holds value i of `block`. The sums of halves are not used by the float formats, but the layout is the CPU's.
__device__ void store_codes(std::byte* to, const PreparedRow& at, int64_t block, float value) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const float top = warp_max(fabsf(value)), nothing = warp_sum(value * 0.0f);  // NaN if a value is not finite: the scale tells it
  const float scale = top / 127.0f + nothing;
  const int code = static_cast<int>(rintf(top > 0.0f && nothing == 0.0f ? value * (127.0f / top) : 0.0f));
  int half = code;
  for (int distance = 8; distance > 0; distance /= 2) half += __shfl_xor_sync(all_lanes, half, distance);
  const int sum = half + __shfl_xor_sync(all_lanes, half, 16);
  to[32 * block + lane] = static_cast<std::byte>(code);
  if (lane % 16 == 0) reinterpret_cast<int32_t*>(to + at.minus_half_at)[2 * block + lane / 16] = -half;
  if (lane > 0) return;
  reinterpret_cast<float*>(to + at.scale_at)[block] = scale;
  reinterpret_cast<float*>(to + at.sum_at)[block] = scale * static_cast<float>(sum);
  reinterpret_cast<int32_t*>(to + at.minus_sum_at)[block] = -sum;
}

// Eight lanes per block would do; a warp per block of 32 values is simpler and this is a small part of the work.
__global__ void prepare_kernel(Activations x, std::byte* prepared) {
  const int64_t block = global_index() / warp_size, row = blockIdx.y;
  if (block >= x.in / 32) return;  // whole warps leave
  const PreparedRow at(x.in);
  store_codes(prepared + row * at.bytes, at, block, x.data[row * x.stride + 32 * block + threadIdx.x % warp_size]);
}

// The same of x / sqrt(mean(x^2) + eps) * gain, which is written nowhere. A block per row.
__global__ void norm_prepare_kernel(Activations x, const float* gain, float eps, std::byte* prepared) {
  __shared__ float parts[warp_size];
  const float* row = x.data + blockIdx.x * x.stride;
  float sum = 0;
  for (int64_t j = threadIdx.x; j < x.in; j += blockDim.x) sum += row[j] * row[j];
  const float factor = 1.0f / sqrtf(block_sum(sum, parts) / static_cast<float>(x.in) + eps);
  const PreparedRow at(x.in);
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  for (int64_t block = threadIdx.x / warp_size; block < x.in / 32; block += blockDim.x / warp_size) {
    store_codes(prepared + blockIdx.x * at.bytes, at, block, row[32 * block + lane] * factor * gain[32 * block + lane]);
  }
}

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

void run_path(LinearPath path, const TargetRun& run, const Activations& x, const Scratch& scratch, Stream& stream) {
  switch (path) {
    case LinearPath::gemv_fast: return gemv_fast(run, x, scratch.codes, stream);
    case LinearPath::gemv_exact: return gemv_exact(run, x, stream);
    case LinearPath::gemv_rows: return gemv_rows(run, x, stream);
    case LinearPath::gemm_packed:
      if (stream.panel() && takes_panels(run.target[0].weight, x.rows)) return gemm_panels(run, x, scratch.codes, stream);
      gemm_packed(run, x, scratch.codes, stream);
      break;
    case LinearPath::gemm_bf16: gemm_rounded(run, x, scratch.rounded, stream); break;
    case LinearPath::gemm_f32:
      for (int t = 0; t < run.count; ++t) gemm_f32(run.target[t], x, stream);
      break;
  }
  if (run.gated) gate(run.target[0], run.target[1], stream);
}

bool together(const LinearTarget& a, const LinearTarget& b, int64_t rows) {
  return a.weight.format == b.weight.format && linear_path(a.weight, rows) == linear_path(b.weight, rows);
}

}  // namespace

void prepare_codes(const Activations& x, std::byte* prepared, Stream& stream) {
  constexpr int threads = 256;
  dim3 grid = blocks_for(x.in, threads);
  grid.y = static_cast<unsigned>(x.rows);  // few: gemv_fast only
  launch(stream, prepare_kernel, grid, threads, 0, x, prepared);
}

namespace {

// What the targets read of x, and x as those see it that read it in float32. The norm goes into the kernel that makes codes where all targets take those.
Activations prepare(const LinearArgs& a, const LinearScratch& sizes, Stream& stream) {
  Activations x{a.x.as<float>(), a.x.stride[0], a.x.extent[0], a.x.extent[1]};
  int codes = 0;
  for (int t = 0; t < a.targets; ++t) codes += linear_path(a.target[static_cast<size_t>(t)].weight, x.rows) == LinearPath::gemv_fast;
  LAVA_CHECK(sizes.bytes() == 0 || (!a.scratch.empty() && a.scratch.bytes() >= sizes.bytes()));
  const bool normed = !a.norm.gain.empty();
  if (normed && codes == a.targets) {
    launch(stream, norm_prepare_kernel, dim3(static_cast<unsigned>(x.rows)), x.in > 2048 ? 1024 : 256, 0, x, a.norm.gain.as<float>(), a.norm.eps, a.scratch.data);
    return x;
  }
  if (normed) {
    Tensor floats(DType::f32, {x.rows, x.in}, a.scratch.data + sizes.codes + sizes.bf16);
    floats.stride[0] = LinearScratch::float_row_bytes(x.in) / 4;
    norm_rows(floats, a.x, a.norm.gain, a.norm.eps, stream);
    x.data = floats.as<float>(), x.stride = floats.stride[0];
  }
  if (codes > 0) prepare_codes(x, a.scratch.data, stream);
  return x;
}

}  // namespace

void linear(const void* args, Stream& stream) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  const LinearScratch sizes(a);
  const Activations x = prepare(a, sizes, stream);
  const Scratch scratch{a.scratch.data, a.scratch.data + sizes.codes};
  const LinearTarget* targets = a.target.data();
  for (int first = 0; first < a.targets;) {
    int end = first + 1;
    while (end < a.targets && together(targets[first], targets[end], x.rows)) ++end;
    const bool pair = a.gated && end - first == 2;
    run_path(linear_path(targets[first].weight, x.rows), {targets + first, end - first, pair}, x, scratch, stream);
    first = end;
  }
  if (a.gated && !together(targets[0], targets[1], x.rows)) gate(targets[0], targets[1], stream);
}

}  // namespace lava::cuda
