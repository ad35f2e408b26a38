// Many rows of unquantised weights by cuBLASLt (kernels/cuda/blas.h): activations are rounded first to what the weights are, and what the library
// does not do (activations, and scales of rows) follows. F16 has a small range: rows beyond it are scaled by a power of two, and back.
#include "kernels/cuda/blas.h"
#include "kernels/linear/linear_cuda.cuh"

namespace lava::cuda {
namespace {

constexpr int threads = 256;

// 2^n, n in -126 .. 127.
__device__ inline float power_of_two(int n) { return __uint_as_float(static_cast<uint32_t>(n + 127) << 23); }

// What a row whose largest magnitude is `top` is multiplied by, as an exponent: 0 where F16 holds it well, also where it is not finite.
__device__ inline int shift_of(float top) {
  const int exponent = static_cast<int>(__float_as_uint(top) >> 23) - 127;
  if (top == 0.0f || exponent == 128 || (exponent >= -6 && exponent < 14)) return 0;
  return exponent < -119 ? 126 : 7 - exponent;
}

__device__ inline uint32_t half_pair(float first, float second) { return half_bits(first) | static_cast<uint32_t>(half_bits(second)) << 16; }

// blockIdx.x: row. Pairs of values, zeros behind the last. `factors` (F16 only): what products of the row are multiplied by.
template <DType format>
__global__ __launch_bounds__(threads) void round_kernel(Activations x, uint32_t* rounded, int64_t row_pairs, float* factors) {
  __shared__ float parts[warp_size];
  const float* row = x.data + blockIdx.x * x.stride;
  float scale = 1;
  if constexpr (format == DType::f16) {
    float top = 0;
    for (int64_t i = threadIdx.x; i < x.in; i += threads) top = fmaxf(top, fabsf(row[i]));
    const int shift = shift_of(block_max(top, parts));
    scale = power_of_two(shift);
    if (threadIdx.x == 0) factors[blockIdx.x] = power_of_two(-shift);
  }
  for (int64_t p = threadIdx.x; p < row_pairs; p += threads) {
    const float first = 2 * p < x.in ? row[2 * p] * scale : 0.0f, second = 2 * p + 1 < x.in ? row[2 * p + 1] * scale : 0.0f;
    rounded[blockIdx.x * row_pairs + p] = format == DType::f16 ? half_pair(first, second) : bf16_pair(first, second);
  }
}

// blockIdx.x: row.
__global__ __launch_bounds__(threads) void finish_kernel(Output output, const float* product, int64_t product_stride, const float* factors) {
  const int64_t row = blockIdx.x;
  const float factor = factors ? factors[row] : 1.0f;
  for (int64_t o = threadIdx.x; o < output.width; o += threads) output.store(output.finished(product[row * product_stride + o] * factor, o), row, o);
}

}  // namespace

RoundedRows round_rows(const Activations& x, DType format, std::byte* scratch, Stream& stream) {
  const int64_t pairs = bf16_row_pairs(x.in);
  auto* rounded = reinterpret_cast<uint32_t*>(scratch);
  const dim3 grid(static_cast<unsigned>(x.rows));
  if (format == DType::bf16) {
    launch(stream, round_kernel<DType::bf16>, grid, threads, 0, x, rounded, pairs, nullptr);
    return {rounded, 2 * pairs, nullptr, 0};
  }
  auto* factors = reinterpret_cast<float*>(stream.workspace());
  launch(stream, round_kernel<DType::f16>, grid, threads, 0, x, rounded, pairs, factors);
  return {rounded, 2 * pairs, factors, static_cast<size_t>(ceil_div(x.rows, 64) * 256)};
}

bool gemm_library(const LinearTarget& target, const Activations& x, const RoundedRows& rounded, Stream& stream) {
  Output output = output_of(target);
  BlasProduct product{rounded.factors != nullptr, target.weight.data, reinterpret_cast<const std::byte*>(rounded.data), output.data, output.bias, x.rows, output.width, x.in,
                      rounded.stride, output.stride, output.accumulate};
  const bool finishes = rounded.factors || output.activation != Activation::none;
  if (finishes) product.bias = nullptr;
  if (rounded.factors && output.accumulate) {  // the factor belongs to the product alone: it lies elsewhere
    product.out = reinterpret_cast<float*>(stream.workspace() + rounded.workspace_bytes), product.out_stride = output.width, product.accumulate = false;
    if (rounded.workspace_bytes + sizeof(float) * static_cast<size_t>(x.rows * output.width) > stream.workspace_bytes()) return false;
  }
  if (!stream.blas()->multiply(product, stream)) return false;
  if (finishes) launch(stream, finish_kernel, dim3(static_cast<unsigned>(x.rows)), threads, 0, output, product.out, product.out_stride, rounded.factors);
  return true;
}

}  // namespace lava::cuda
