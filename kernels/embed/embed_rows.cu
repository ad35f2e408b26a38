#include "kernels/embed/embed_rows.h"

#include "kernels/cuda/widen.cuh"

namespace lava::cuda {
namespace {

// blockIdx.y: row of out; a thread widens eight values.
__global__ void embed_rows_kernel(float* out, int64_t out_stride, WeightView table, const int32_t* ids, Step step) {
  const int64_t task = global_index(), unit = task / 4, row = blockIdx.y;
  const auto line = static_cast<int>(task % 4);
  const int64_t id = ids ? ids[row] : token_of(step);
  float v[8];
  widen8(table, id, unit, line, v);
  for (int i = 0; i < 8; ++i) {
    const int64_t at = 32 * unit + 4 * line + (i < 4 ? i : 12 + i);
    if (at < table.in) out[row * out_stride + at] = v[i];
  }
}

}  // namespace

void embed_rows(const void* args, Stream& stream) {
  const auto& a = *static_cast<const EmbedRowsArgs*>(args);
  constexpr int threads = 128;
  constexpr int64_t most_rows = 32768;  // of a grid's second dimension
  const WeightView table = view_of(a.table);
  const Step step = stream.step(a.step);
  for (int64_t first = 0; first < a.out.rows(); first += most_rows) {
    dim3 grid = blocks_for((table.in + 31) / 32 * 4, threads);
    grid.y = static_cast<unsigned>(a.out.rows() - first < most_rows ? a.out.rows() - first : most_rows);
    launch(stream, embed_rows_kernel, grid, threads, 0, a.out.row(first), a.out.stride[0], table, a.ids.empty() ? nullptr : a.ids.as<int32_t>() + first, step);
  }
}

}  // namespace lava::cuda
