// Few rows, weights in F32, F16 or BF16 as they lie in the file, activations in float32. A warp per output. One row is normed by each block for itself.
#include "kernels/linear/codes_cuda.cuh"

namespace lava::cuda {
namespace {

constexpr int threads = 256, warps = threads / warp_size, tile = 4;  // tile: rows of x together

struct RowsTarget {
  WeightView weight;
  Output output;
  bool vectors;  // 16 bytes may be read at once
  int first_block;
};

struct RowsArgs {
  RowsTarget target[3];
  int targets;
  bool gated;  // a warp computes an output of both targets
  bool fours;  // four values of x may be read at once
  Activations x;
};

template <DType format>
__device__ inline void unpack(const uint4& v, float (&w)[format == DType::f32 ? 4 : 8]) {
  const uint32_t words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (format == DType::f32) {
      w[i] = __uint_as_float(words[i]);
    } else if constexpr (format == DType::f16) {
      w[2 * i] = half_value(static_cast<uint16_t>(words[i])), w[2 * i + 1] = half_value(static_cast<uint16_t>(words[i] >> 16));
    } else {
      w[2 * i] = __uint_as_float(words[i] << 16), w[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
    }
  }
}

// Values of x from k on.
template <int count>
__device__ inline void read_x(const float* x, int64_t k, bool fours, float (&v)[count]) {
#pragma unroll
  for (int i = 0; i < count; i += 4) {
    const float4 four = fours ? *reinterpret_cast<const float4*>(x + k + i) : float4{x[k + i], x[k + i + 1], x[k + i + 2], x[k + i + 3]};
    v[i] = four.x, v[i + 1] = four.y, v[i + 2] = four.z, v[i + 3] = four.w;
  }
}

// Products of output `o` with rows of x; every lane gets the sums.
template <DType format, int rows>
__device__ void dot_rows(const RowsTarget& target, int64_t o, const float* const (&x)[rows], bool fours, float (&sums)[rows]) {
  constexpr int step = format == DType::f32 ? 4 : 8;
  const WeightView& weight = target.weight;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::byte* row = weight.data + o * weight.row_bytes;
  for (int m = 0; m < rows; ++m) sums[m] = 0;
  const int64_t whole = target.vectors ? weight.in / step * step : 0;
#pragma unroll 2
  for (int64_t k = int64_t{step} * lane; k < whole; k += step * warp_size) {
    float w[step];
    unpack<format>(__ldg(reinterpret_cast<const uint4*>(row + k / step * 16)), w);
#pragma unroll
    for (int m = 0; m < rows; ++m) {
      float v[step];
      read_x(x[m], k, fours, v);
#pragma unroll
      for (int i = 0; i < step; ++i) sums[m] += w[i] * v[i];
    }
  }
  for (int64_t k = whole + lane; k < weight.in; k += warp_size) {
    const float w = row_value(format, row, k);
    for (int m = 0; m < rows; ++m) sums[m] += w * x[m][k];
  }
  for (int m = 0; m < rows; ++m) sums[m] = warp_sum(sums[m]);
}

// The warp's output for rows first, first + 1 .. of x.
template <DType format, int rows>
__device__ void multiply(const RowsArgs& a, const float* const (&x)[rows], bool fours, int64_t first) {
  const RowsTarget& target = a.target[target_of(a)];
  const int64_t o = static_cast<int64_t>(static_cast<int>(blockIdx.x) - target.first_block) * warps + static_cast<int>(threadIdx.x) / warp_size;
  if (o >= target.weight.out) return;  // whole warps leave
  float sums[rows], factors[rows] = {};
  dot_rows<format, rows>(target, o, x, fours, sums);
  if (a.gated) dot_rows<format, rows>(a.target[1], o, x, fours, factors);
  if (threadIdx.x % warp_size != 0) return;
  for (int m = 0; m < rows && first + m < a.x.rows; ++m) {
    float value = target.output.finished(sums[m], o);
    if (a.gated) {
      const float factor = a.target[1].output.finished(factors[m], o);
      a.target[1].output.store(factor, first + m, o);
      value *= factor;
    }
    target.output.store(value, first + m, o);
  }
}

// blockIdx.y: tile of rows.
template <DType format>
__global__ __launch_bounds__(threads) void gemv_rows_kernel(RowsArgs a) {
  const int64_t first = static_cast<int64_t>(blockIdx.y) * tile;
  const float* x[tile];
  for (int m = 0; m < tile; ++m) x[m] = a.x.data + (first + m < a.x.rows ? first + m : first) * a.x.stride;  // rows that do not exist repeat the first
  multiply<format, tile>(a, x, a.fours, first);
}

// Asks for `bytes` of the weights that the block's outputs have, of both targets when gated.
__device__ inline void fetch_weights(const RowsArgs& a, int64_t bytes) {
  const auto fetch = [&](const RowsTarget& t, int64_t most) {
    const int64_t begin = static_cast<int64_t>(static_cast<int>(blockIdx.x) - t.first_block) * warps, end = begin + warps < t.weight.out ? begin + warps : t.weight.out;
    const int64_t size = (end - begin) * t.weight.row_bytes;
    fetch_ahead(t.weight.data + begin * t.weight.row_bytes, most < size ? most : size);
  };
  if (a.gated) return fetch(a.target[0], bytes / 2), fetch(a.target[1], bytes / 2);
  fetch(a.target[target_of(a)], bytes);
}

// One row; the normed one is in shared memory.
template <DType format>
__global__ __launch_bounds__(threads) void gemv_row_kernel(RowsArgs a, RowNorm norm, int64_t ahead) {
  __shared__ float parts[warp_size];
  fetch_weights(a, ahead);
  wait_for_previous();
  let_next_start();
  const float* x[1] = {a.x.data};
  if (norm.gain) {
    float* normed = dynamic_shared();
    const float factor = norm_factor(a.x.data, a.x.in, a.fours, norm.eps, parts);
    for (int64_t k = threadIdx.x; k < a.x.in; k += threads) normed[k] = a.x.data[k] * factor * norm.gain[k];
    __syncthreads();
    x[0] = normed;
  }
  multiply<format, 1>(a, x, norm.gain != nullptr || a.fours, 0);
}

bool takes_vectors(const WeightView& w) { return reinterpret_cast<uintptr_t>(w.data) % 16 == 0 && w.row_bytes % 16 == 0; }

// Returns the number of blocks.
int64_t place_targets(const TargetRun& run, RowsArgs& a) {
  int64_t blocks = 0;
  for (int t = 0; t < run.count; ++t) {
    const WeightView weight = view_of(run.target[t].weight);
    a.target[t] = {weight, output_of(run.target[t]), takes_vectors(weight), run.gated ? 0 : static_cast<int>(blocks)};
    if (t == 0 || !run.gated) blocks += ceil_div(weight.out, warps);
  }
  return blocks;
}

template <DType format>
void launch_rows(const RowsArgs& a, int64_t blocks, const RowNorm& norm, Stream& stream) {
  dim3 grid(static_cast<unsigned>(blocks));
  const size_t shared = norm.gain ? sizeof(float) * static_cast<size_t>(a.x.in) : 0;
  if (a.x.rows == 1) return launch_early(stream, gemv_row_kernel<format>, grid, threads, shared, a, norm, bytes_ahead(stream.l2_bytes(), blocks));
  LAVA_CHECK(!norm.gain);
  grid.y = static_cast<unsigned>(ceil_div(a.x.rows, tile));
  launch(stream, gemv_rows_kernel<format>, grid, threads, 0, a);
}

}  // namespace

void gemv_rows(const TargetRun& run, const Activations& x, const RowNorm& norm, Stream& stream) {
  RowsArgs a{{}, run.count, run.gated, takes_fours(x), x};
  const int64_t blocks = place_targets(run, a);
  const DType format = run.target[0].weight.format;
  if (format == DType::f32) return launch_rows<DType::f32>(a, blocks, norm, stream);
  if (format == DType::f16) return launch_rows<DType::f16>(a, blocks, norm, stream);
  launch_rows<DType::bf16>(a, blocks, norm, stream);
}

}  // namespace lava::cuda
