// Many rows on tensor cores (mma.m16n8k16): weights as in the file are widened and rounded to BF16 on their way into shared memory, activations
// rounded beside them, sums kept in float32. A tile of rows x 64 outputs; a warp takes 32 x 32; two stages of 32 values in shared memory.
#include "kernels/linear/linear_cuda.cuh"

namespace lava::cuda {
namespace {

constexpr int tile_outputs = 64, depth = 32, warp_tile = 32;
constexpr int words = depth / 2;    // pairs of BF16 in a row of a stage
constexpr int stride = words + 4;   // of a row, in words: the eight rows that a fragment reads fall into different banks

struct Stage {
  uint32_t *x, *weights;  // [rows, stride], [tile_outputs, stride]
};

template <int tile_rows>
constexpr int threads_of() {
  return tile_rows / warp_tile * (tile_outputs / warp_tile) * warp_size;
}

// Four values of a row of x per task; `vectors`: x may be read 16 bytes at once.
template <int tile_rows>
__device__ void load_x(uint32_t* target, const Activations& x, int64_t first_row, int64_t first, bool vectors) {
  for (int task = static_cast<int>(threadIdx.x); task < tile_rows * depth / 4; task += threads_of<tile_rows>()) {
    const int row = task / (depth / 4), column = task % (depth / 4) * 4;
    float v[4] = {};
    if (first_row + row < x.rows) {
      const float* from = x.data + (first_row + row) * x.stride + first + column;
      if (vectors && first + column + 4 <= x.in) {
        const float4 four = __ldg(reinterpret_cast<const float4*>(from));
        v[0] = four.x, v[1] = four.y, v[2] = four.z, v[3] = four.w;
      } else {
        for (int i = 0; i < 4; ++i) v[i] = first + column + i < x.in ? from[i] : 0.0f;
      }
    }
    uint32_t* to = target + row * stride + column / 2;
    to[0] = bf16_pair(v[0], v[1]), to[1] = bf16_pair(v[2], v[3]);
  }
}

// Eight values of an output per task; neighbours read what lies side by side.
template <int tile_rows>
__device__ void load_weights(uint32_t* target, const WeightView& weight, int64_t first_output, int64_t unit) {
  for (int task = static_cast<int>(threadIdx.x); task < tile_outputs * 4; task += threads_of<tile_rows>()) {
    const int output = task / 4, line = task % 4;
    float v[8];
    widen8(weight, first_output + output, unit, line, v);
    uint32_t* to = target + output * stride + 2 * line;
    to[0] = bf16_pair(v[0], v[1]), to[1] = bf16_pair(v[2], v[3]);
    to[8] = bf16_pair(v[4], v[5]), to[9] = bf16_pair(v[6], v[7]);
  }
}

// A warp's 32 x 32 of a stage: 2 x 4 tiles of 16 x 8. Rows g and g + 8, pairs t and t + 4: see mma.m16n8k16.
__device__ void multiply(const Stage& stage, int row, int output, float (&sum)[2][4][4]) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size, g = lane / 4, t = lane % 4;
#pragma unroll
  for (int k = 0; k < words; k += 8) {
    uint32_t a[2][4], b[4][2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const uint32_t* from = stage.x + (row + 16 * i + g) * stride + k + t;
      a[i][0] = from[0], a[i][1] = from[8 * stride], a[i][2] = from[4], a[i][3] = from[8 * stride + 4];
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const uint32_t* from = stage.weights + (output + 8 * j + g) * stride + k + t;
      b[j][0] = from[0], b[j][1] = from[4];
    }
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j) mma_bf16(sum[i][j], a[i], b[j]);
  }
}

// The registers of a tile of 16 x 8: rows g, g + 8; outputs 2 t, 2 t + 1.
__device__ void store(const Output& output, const Activations& x, int64_t row, int64_t o, const float (&sum)[2][4][4]) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size, g = lane / 4, t = lane % 4;
#pragma unroll
  for (int i = 0; i < 2; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        const int64_t r = row + 16 * i + g + c / 2 * 8, at = o + 8 * j + 2 * t + c % 2;
        if (r < x.rows && at < output.width) output.store(output.finished(sum[i][j][c], at), r, at);
      }
}

// blockIdx.x: tile of outputs; blockIdx.y: tile of rows.
template <int tile_rows>
__global__ __launch_bounds__(threads_of<tile_rows>()) void gemm_bf16_kernel(WeightView weight, Output output, Activations x, bool vectors) {
  __shared__ __align__(16) uint32_t xs[2][tile_rows * stride];
  __shared__ __align__(16) uint32_t ws[2][tile_outputs * stride];
  const int warp = static_cast<int>(threadIdx.x) / warp_size;
  const int row = warp % (tile_rows / warp_tile) * warp_tile, o = warp / (tile_rows / warp_tile) * warp_tile;
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * tile_rows, first_output = static_cast<int64_t>(blockIdx.x) * tile_outputs;
  const int64_t units = (x.in + depth - 1) / depth;
  const auto load = [&](int64_t unit) {
    load_x<tile_rows>(xs[unit % 2], x, first_row, depth * unit, vectors);
    load_weights<tile_rows>(ws[unit % 2], weight, first_output, unit);
  };
  float sum[2][4][4] = {};
  load(0);
  __syncthreads();
  for (int64_t unit = 0; unit < units; ++unit) {
    if (unit + 1 < units) load(unit + 1);
    multiply({xs[unit % 2], ws[unit % 2]}, row, o, sum);
    __syncthreads();  // the next stage is there, and this one may be written
  }
  store(output, x, first_row + row, first_output + o, sum);
}

template <int tile_rows>
void launch_tile(const LinearTarget& target, const Activations& x, Stream& stream) {
  const dim3 grid(static_cast<unsigned>(ceil_div(target.weight.out, tile_outputs)), static_cast<unsigned>(ceil_div(x.rows, tile_rows)));
  launch(stream, gemm_bf16_kernel<tile_rows>, grid, threads_of<tile_rows>(), 0, view_of(target.weight), output_of(target), x, takes_fours(x));
}

}  // namespace

void gemm_bf16(const LinearTarget& target, const Activations& x, Stream& stream) {
  constexpr int64_t most_rows = int64_t{64} * 65535;  // of a grid's second dimension
  LAVA_CHECK(x.rows <= most_rows);
  if (gemm_tile(x.rows, target.weight.out, stream.processors()) == 128) return launch_tile<128>(target, x, stream);
  launch_tile<64>(target, x, stream);
}

}  // namespace lava::cuda
