// Many rows against interleaved16 weights on tensor cores. The weights are A: packed bytes come into shared memory as they lie and become BF16
// in registers (expand_packed.cuh), are used for all rows of the tile and are written nowhere. x is B, rounded to BF16 once.
// A tile is 128 outputs by 16, 32, 64 or 128 rows; of its eight warps some share the outputs, the others take the units of 32 values in turn. All
// chunks of all tiles are dealt to as many blocks as the device holds (Shares in plan.h): where a tile falls to several blocks, each leaves
// its sums in the workspace, and add_parts_kernel adds them in the order of the values.
#pragma once
#include "kernels/linear/expand_packed.cuh"
#include "kernels/linear/linear_cuda.cuh"

namespace lava::cuda {

constexpr int packed_threads = 256, packed_warps = packed_threads / warp_size, tile_groups = packed_tile_outputs / 16;

struct PackedTarget {
  const std::byte* weight;
  int64_t group_bytes;  // from one group of 16 outputs to the next
  Output output;
  bool pairs;      // two neighbours of a row of the output may be written at once
  int first_tile;  // of outputs, among those of all targets
};

struct PackedGemm {
  PackedTarget target[3];
  int targets;
  const std::byte* x;  // rows of BF16 in the order of line_pair(), unit by unit
  int64_t x_row_bytes;
  int rows, units;  // of x; of 32 values
  int tile_rows, row_tiles, chunks;  // chunks of a tile: a stage each
  int stages;
  Shares shares;
  float4* parts;  // [blocks][2][fragments of a tile]: sums of a block's first tile, and of its last, where others have a share in it
};

// The part of the outputs and rows that a tile is.
struct PackedPlace {
  const PackedTarget& target;
  int64_t group, row;  // first ones
  int groups, rows;    // that are there
};

__device__ inline PackedPlace place_of(const PackedGemm& a, int tile) {
  const int out_tile = tile / a.row_tiles, row = tile % a.row_tiles * a.tile_rows;
  int index = 0;
  while (index + 1 < a.targets && out_tile >= a.target[index + 1].first_tile) ++index;
  const PackedTarget& target = a.target[index];
  const int64_t group = static_cast<int64_t>(out_tile - target.first_tile) * tile_groups, left = (target.output.width + 15) / 16 - group;
  return {target, group, row, left < tile_groups ? static_cast<int>(left) : tile_groups, a.rows - row < a.tile_rows ? a.rows - row : a.tile_rows};
}

// Fragment `index` of a tile, [group][8 rows][lane]: outputs o and o + 1 (x, y and z, w) of rows r and r + 1.
__device__ inline void finish_fragment(const PackedPlace& at, int tile_rows, int index, const float4& sums) {
  const Output& output = at.target.output;
  const int lane = index % warp_size, eight = index / warp_size % (tile_rows / 8), group = index / warp_size / (tile_rows / 8);
  const int64_t o = 16 * (at.group + group) + 2 * (lane / 4);
  const int row = 8 * eight + 2 * (lane % 4);
  const bool both = o + 1 < output.width;
  if (o >= output.width) return;
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    if (row + j >= at.rows) return;
    const float first = output.finished(j == 0 ? sums.x : sums.y, o), second = both ? output.finished(j == 0 ? sums.z : sums.w, o + 1) : 0.0f;
    if (both && at.target.pairs) {
      auto* to = reinterpret_cast<float2*>(output.data + (at.row + row + j) * output.stride + o);
      const float2 before = output.accumulate ? *to : float2{0.0f, 0.0f};
      *to = float2{before.x + first, before.y + second};
    } else {
      output.store(first, at.row + row + j, o);
      if (both) output.store(second, at.row + row + j, o + 1);
    }
  }
}

template <DType format, int tile_rows>
struct PackedTile {
  static constexpr PackedFormat f = packed_format(format);
  static constexpr int eights = tile_rows / 8;                    // of rows: the width of an mma
  static constexpr int units = packed_chunk_units(tile_rows);     // of a stage: one for each of the warps that share a tile's outputs
  static constexpr int out_warps = packed_warps / units, warp_groups = tile_groups / out_warps;
  static constexpr int x_row_bytes = 64 * units, x_bytes = tile_rows * x_row_bytes;
  static constexpr int run_bytes = f.units == 1 ? units * f.bytes() : f.header + units * f.unit_bytes();  // of a group
  static constexpr int stage_bytes = x_bytes + tile_groups * run_bytes;
  static constexpr int fragments = tile_groups * eights * warp_size;
  static constexpr size_t shared_bytes(int stages) { return static_cast<size_t>(std::max(stages * stage_bytes, units / 2 * fragments * int{sizeof(float4)})); }
  static_assert((f.units % units == 0 || f.units == 1) && shared_bytes(least_packed_stages) <= size_t{99} << 10);

  using Sums = float[warp_groups][eights][4];

  // Where the 16 bytes `part` of a row of a stage lie: of two neighbouring rows one unit each falls into the same banks unless one is swapped.
  __device__ static int x_at(int row, int part) { return row * x_row_bytes + 16 * (part ^ (row & 1) << 2); }

  // Where a thread copies from, in the first stage of a tile: 16 bytes of every row_step-th row, and of every 512 of a group. A group's bytes are one run,
  // but for a header that serves several stages.
  struct Source {
    const std::byte *x, *weights;
    int row, part;     // of a stage
    int rows, offset;  // rows of x that are there; in the group's bytes, behind them where there is no group
  };
  static constexpr int row_parts = 4 * units, row_step = packed_threads / row_parts;
  static_assert(row_step % 2 == 0 && tile_rows % row_step == 0);

  __device__ static Source source_of(const PackedGemm& a, const PackedPlace& at) {
    const int thread = static_cast<int>(threadIdx.x), warp = thread / warp_size, offset = thread % warp_size * 16;
    Source s{nullptr, nullptr, thread / row_parts, thread % row_parts, at.rows, warp < at.groups ? offset : run_bytes};
    s.x = a.x + (at.row + s.row) * a.x_row_bytes + 16 * s.part;
    s.weights = at.target.weight + (at.group + warp) * at.target.group_bytes + offset;
    return s;
  }

  __device__ static void copy(std::byte* stage, const PackedGemm& a, const Source& from, int chunk) {
    const int first_unit = chunk * units, left = a.units - first_unit, warp = static_cast<int>(threadIdx.x) / warp_size;
    if (from.part / 4 < left) {
      const std::byte* x = from.x + int64_t{64} * first_unit;
#pragma unroll
      for (int row = 0; row < tile_rows; row += row_step, x += row_step * a.x_row_bytes) {
        if (from.row + row < from.rows) copy_async(stage + x_at(from.row, from.part) + row * x_row_bytes, x);
      }
    }
    const int bytes = f.units == 1 && left < units ? left * f.bytes() : run_bytes;
    const std::byte* weights = from.weights + static_cast<int64_t>(first_unit / f.units) * f.bytes();
    std::byte* to = stage + x_bytes + warp * run_bytes + from.offset;
#pragma unroll
    for (int i = 0; i < run_bytes; i += 512) {
      if (from.offset + i < bytes) copy_async(to + i, weights + i + (from.offset + i < f.header ? 0 : first_unit % f.units * f.unit_bytes()));
    }
  }

  // Of the groups of a warp in its unit of a stage.
  __device__ static void expand(const std::byte* stage, int i, UnitFragments& weights) {
    const int warp = static_cast<int>(threadIdx.x) / warp_size, lane = static_cast<int>(threadIdx.x) % warp_size, unit = warp / out_warps;
    const std::byte* run = stage + x_bytes + (warp % out_warps * warp_groups + i) * run_bytes;
    const std::byte* header = f.units == 1 ? run + unit * f.bytes() : run;
    expand_unit<format>(header, f.units == 1 ? header + f.header : header + f.header + unit * f.unit_bytes(), lane / 4, lane % 4, weights);
  }

  // B of both steps for eight rows.
  __device__ static uint4 x_of(const std::byte* stage, int eight) {
    const int lane = static_cast<int>(threadIdx.x) % warp_size, unit = static_cast<int>(threadIdx.x) / warp_size / out_warps;
    return *reinterpret_cast<const uint4*>(stage + x_at(lane / 4, 4 * unit + lane % 4) + 8 * eight * x_row_bytes);
  }
  __device__ static void mma(float (&sum)[4], const UnitFragments& weights, const uint4& x, int step) {
    mma_bf16(sum, weights[step], {step == 0 ? x.x : x.z, step == 0 ? x.y : x.w});
  }

  // A warp's unit of the stage. Two products that add to the same sums do not follow each other at once. Few rows: x stays in registers, and while one group
  // is multiplied the next can be made. Many: the weights stay, and where a tile is not full what is missing is left out.
  __device__ static void multiply(const std::byte* stage, int rows, Sums& sums) {
    if constexpr (tile_rows <= 64) {
      uint4 x[eights];
#pragma unroll
      for (int n = 0; n < eights; ++n) x[n] = x_of(stage, n);
#pragma unroll
      for (int i = 0; i < warp_groups; ++i) {
        UnitFragments weights;
        expand(stage, i, weights);
#pragma unroll
        for (int step = 0; step < 2; ++step)
#pragma unroll
          for (int n = 0; n < eights; ++n) mma(sums[i][n], weights, x[n], step);
      }
    } else {
      UnitFragments weights[warp_groups];
#pragma unroll
      for (int i = 0; i < warp_groups; ++i) expand(stage, i, weights[i]);
#pragma unroll
      for (int first = 0; first < eights; first += 4) {
        if (8 * first >= rows) break;
#pragma unroll
        for (int n = first; n < first + 4; n += 2) {
          const uint4 x[2] = {x_of(stage, n), x_of(stage, n + 1)};
#pragma unroll
          for (int step = 0; step < 2; ++step)
#pragma unroll
            for (int j = 0; j < 2; ++j)
#pragma unroll
              for (int i = 0; i < warp_groups; ++i) mma(sums[i][n + j], weights[i], x[j], step);
        }
      }
    }
  }

  __device__ static void wait_for_stage(int stages) {
    if (stages == 6) wait_copies<4>();
    else if (stages == 4) wait_copies<2>();
    else wait_copies<least_packed_stages - 2>();
  }

  // The sums of chunks [first, end) of a tile, each warp's own.
  __device__ static void sum_chunks(std::byte* shared, const PackedGemm& a, const PackedPlace& at, int first, int end, Sums& sums) {
    const int unit = static_cast<int>(threadIdx.x) / warp_size / out_warps;
    const Source from = source_of(a, at);
    int filled = 0, used = 0;  // stages, in a ring
    const auto next = [&](int chunk) {
      if (chunk < end) copy(shared + filled * stage_bytes, a, from, chunk);
      close_copies();
      filled = filled + 1 < a.stages ? filled + 1 : 0;
    };
    for (int i = 0; i < a.stages - 1; ++i) next(first + i);
    for (int chunk = first; chunk < end; ++chunk) {
      wait_for_stage(a.stages);
      __syncthreads();  // the stage is there for all, and the one before it may be filled again
      next(chunk + a.stages - 1);
      if (chunk * units + unit < a.units) multiply(shared + used * stage_bytes, from.rows, sums);
      used = used + 1 < a.stages ? used + 1 : 0;
    }
    wait_copies<0>();
    __syncthreads();
  }

  __device__ static int fragment_of(int i, int n) {
    const int warp = static_cast<int>(threadIdx.x) / warp_size % out_warps, lane = static_cast<int>(threadIdx.x) % warp_size;
    return ((warp * warp_groups + i) * eights + n) * warp_size + lane;
  }

  // Adds the sums of the warps that took different units: to the first ones, always in the same order.
  __device__ static void add_warps(float4* buffer, Sums& sums) {
    const int mine = static_cast<int>(threadIdx.x) / warp_size / out_warps;
#pragma unroll
    for (int half = units / 2; half > 0; half /= 2) {
      float4* from = buffer + mine % half * fragments;
      if (mine >= half && mine < 2 * half) {
#pragma unroll
        for (int i = 0; i < warp_groups; ++i)
#pragma unroll
          for (int n = 0; n < eights; ++n) from[fragment_of(i, n)] = {sums[i][n][0], sums[i][n][1], sums[i][n][2], sums[i][n][3]};
      }
      __syncthreads();
      if (mine < half) {
#pragma unroll
        for (int i = 0; i < warp_groups; ++i)
#pragma unroll
          for (int n = 0; n < eights; ++n) {
            const float4 other = from[fragment_of(i, n)];
            sums[i][n][0] += other.x, sums[i][n][1] += other.y, sums[i][n][2] += other.z, sums[i][n][3] += other.w;
          }
      }
      __syncthreads();
    }
  }

  __device__ static void write_fragments(float4* to, const Sums& sums) {
    if (static_cast<int>(threadIdx.x) >= out_warps * warp_size) return;
#pragma unroll
    for (int i = 0; i < warp_groups; ++i)
#pragma unroll
      for (int n = 0; n < eights; ++n) to[fragment_of(i, n)] = {sums[i][n][0], sums[i][n][1], sums[i][n][2], sums[i][n][3]};
  }
};

template <DType format, int tile_rows>
__global__ __launch_bounds__(packed_threads, packed_tile_blocks(tile_rows)) void gemm_packed_kernel(PackedGemm a) {
  using Tile = PackedTile<format, tile_rows>;
  auto* shared = reinterpret_cast<std::byte*>(dynamic_shared());
  auto* buffer = reinterpret_cast<float4*>(shared);
  const int block = static_cast<int>(blockIdx.x), begin = a.shares.begin(block), end = a.shares.begin(block + 1);
  for (int chunk = begin; chunk < end;) {
    const int tile = chunk / a.chunks, first = chunk % a.chunks, last = std::min(first + end - chunk, a.chunks);
    typename Tile::Sums sums = {};
    Tile::sum_chunks(shared, a, place_of(a, tile), first, last, sums);
    Tile::add_warps(buffer, sums);
    if (first == 0 && last == a.chunks) {
      Tile::write_fragments(buffer, sums);  // so that all threads share what follows, and its code stands here once
      __syncthreads();
      const PackedPlace at = place_of(a, tile);
      for (int i = static_cast<int>(threadIdx.x); i < Tile::fragments; i += packed_threads) finish_fragment(at, tile_rows, i, buffer[i]);
      __syncthreads();
    } else {
      Tile::write_fragments(a.parts + int64_t{Tile::fragments} * (2 * block + (chunk != begin)), sums);
    }
    chunk += last - first;
  }
}

template <DType format, int tile_rows>
void launch_packed(PackedGemm a, Stream& stream) {
  using Tile = PackedTile<format, tile_rows>;
  a.stages = packed_stages(Tile::stage_bytes, packed_tile_blocks(tile_rows), stream.shared_bytes());
  launch(stream, gemm_packed_kernel<format, tile_rows>, dim3(static_cast<unsigned>(a.shares.blocks)), packed_threads, Tile::shared_bytes(a.stages), a);
}

}  // namespace lava::cuda
