// Few rows of x, at once and for all products that read them, as 8-bit codes.
#include "kernels/linear/codes_cuda.cuh"

namespace lava::cuda {
namespace {

// blockIdx.y: row.
__global__ void codes_kernel(Activations x, bool fours, std::byte* prepared) {
  const int64_t row = blockIdx.y, warp = global_index() / warp_size, warps = int64_t{gridDim.x} * blockDim.x / warp_size;
  const PreparedRow at(x.in);
  store_row(prepared + row * at.bytes, at, {x.data + row * x.stride, nullptr, 1.0f, fours}, x.in / 32, 4 * warp, 4 * warps);
}

// A block per row; the normed row is written nowhere.
__global__ void norm_codes_kernel(Activations x, bool fours, RowNorm norm, std::byte* prepared) {
  __shared__ float parts[warp_size];
  const float* row = x.data + blockIdx.x * x.stride;
  const float factor = norm_factor(row, x.in, fours, norm.eps, parts);
  const PreparedRow at(x.in);
  store_row(prepared + blockIdx.x * at.bytes, at, {row, norm.gain, factor, fours}, x.in / 32, 4 * (threadIdx.x / warp_size), 4 * (blockDim.x / warp_size));
}

}  // namespace

void prepare_codes(const Activations& x, const RowNorm& norm, std::byte* prepared, Stream& stream) {
  constexpr int threads = 256;
  const auto rows = static_cast<unsigned>(x.rows);  // few: gemv_fast only
  if (norm.gain) return launch(stream, norm_codes_kernel, dim3(rows), x.in > 2048 ? 1024 : threads, 0, x, takes_fours(x), norm, prepared);
  dim3 grid = blocks_for(x.in, 4 * threads);
  grid.y = rows;
  launch(stream, codes_kernel, grid, threads, 0, x, takes_fours(x), prepared);
}

}  // namespace lava::cuda
