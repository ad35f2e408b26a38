// Many rows against interleaved16 weights by our own kernels (gemm_packed.cuh): x in the order of its fragments, launches, and sums of shared tiles.
#include "kernels/linear/gemm_packed.cuh"

#include <limits>

#include "kernels/linear/gemv_packed.cuh"

namespace lava::cuda {
namespace {

constexpr int threads = 256;

// blockIdx.x: row.
__global__ __launch_bounds__(threads) void round_lines_kernel(Activations x, uint32_t* rounded) {
  const float* row = x.data + blockIdx.x * x.stride;
  const int64_t pairs = x.in / 2;
  for (int64_t p = threadIdx.x; p < pairs; p += threads) {
    const float* from = row + 2 * (p / 16 * 16 + line_pair(static_cast<int>(p % 16)));
    rounded[blockIdx.x * pairs + p] = bf16_pair(from[0], from[1]);
  }
}

// blockIdx.y: where a block's share begins. The first share that begins inside a tile adds up that tile, a fragment per thread.
__global__ __launch_bounds__(threads) void add_parts_kernel(PackedGemm a) {
  const int boundary = static_cast<int>(blockIdx.y) + 1, begin = a.shares.begin(boundary), tile = begin / a.chunks, first = tile * a.chunks;
  if (begin == first || a.shares.begin(boundary - 1) > first) return;
  const int index = static_cast<int>(global_index()), fragments = packed_tile_outputs * a.tile_rows / 4;
  float4 sum{};
  for (int block = boundary - 1; block < a.shares.blocks && a.shares.begin(block) < first + a.chunks; ++block) {
    const float4 part = a.parts[int64_t{fragments} * (2 * block + (a.shares.begin(block) < first)) + index];
    sum.x += part.x, sum.y += part.y, sum.z += part.z, sum.w += part.w;
  }
  finish_fragment(place_of(a, tile), a.tile_rows, index, sum);
}

bool shares_tiles(const PackedGemm& a) {
  for (int block = 1; block < a.shares.blocks; ++block) {
    if (a.shares.begin(block) % a.chunks != 0) return true;
  }
  return false;
}

PackedGemm packed_gemm(std::span<const PackedPart> parts, const RoundedRows& x, int64_t rows, int64_t values, const Stream& stream) {
  PackedGemm a{};
  int64_t out_tiles = 0;
  for (const PackedPart& part : parts) {
    const bool pairs = reinterpret_cast<uintptr_t>(part.output.data) % sizeof(float2) == 0 && part.output.stride % 2 == 0;
    a.target[a.targets++] = {part.weight, part.group_bytes, part.output, pairs, static_cast<int>(out_tiles)};
    out_tiles += ceil_div(part.output.width, packed_tile_outputs);
  }
  a.x = reinterpret_cast<const std::byte*>(x.data), a.x_row_bytes = 2 * x.stride;
  a.rows = static_cast<int>(rows), a.units = static_cast<int>(values / 32);
  a.tile_rows = packed_tile_rows(rows), a.row_tiles = static_cast<int>(ceil_div(rows, a.tile_rows));
  a.chunks = static_cast<int>(ceil_div(a.units, packed_chunk_units(a.tile_rows)));
  const int64_t tiles = out_tiles * a.row_tiles;
  LAVA_CHECK(tiles * a.chunks <= std::numeric_limits<int32_t>::max());
  a.shares = packed_shares(tiles, a.chunks, int64_t{stream.processors()} * packed_tile_blocks(a.tile_rows), sizeof(float) * packed_tile_outputs * static_cast<size_t>(a.tile_rows),
                           stream.workspace_bytes());
  a.parts = reinterpret_cast<float4*>(stream.workspace());
  return a;
}

}  // namespace

RoundedRows round_lines(const Activations& x, std::byte* scratch, Stream& stream) {
  auto* rounded = reinterpret_cast<uint32_t*>(scratch);
  launch(stream, round_lines_kernel, dim3(static_cast<unsigned>(x.rows)), threads, 0, x, rounded);
  return {rounded, x.in, nullptr, 0};
}

void multiply_packed(DType format, std::span<const PackedPart> parts, const RoundedRows& x, int64_t rows, int64_t values, Stream& stream) {
  const PackedGemm a = packed_gemm(parts, x, rows, values, stream);
  with_packed_format(format, [&]<DType f>() {
    switch (a.tile_rows) {
      case 16: return launch_packed<f, 16>(a, stream);
      case 32: return launch_packed<f, 32>(a, stream);
      case 64: return launch_packed<f, 64>(a, stream);
      default: return launch_packed<f, 128>(a, stream);
    }
  });
  if (!shares_tiles(a)) return;
  const dim3 grid(static_cast<unsigned>(packed_tile_outputs * a.tile_rows / 4 / threads), static_cast<unsigned>(a.shares.blocks - 1));
  launch(stream, add_parts_kernel, grid, threads, 0, a);
}

void gemm_packed(const TargetRun& run, const Activations& x, std::byte* scratch, Stream& stream) {
  PackedPart parts[3];
  for (int t = 0; t < run.count; ++t) parts[t] = {run.target[t].weight.data, group_bytes_of(run.target[t].weight), output_of(run.target[t])};
  const RoundedRows rounded = round_lines(x, scratch, stream);
  multiply_packed(run.target[0].weight.format, std::span(parts, static_cast<size_t>(run.count)), rounded, x.rows, x.in, stream);
}

}  // namespace lava::cuda
