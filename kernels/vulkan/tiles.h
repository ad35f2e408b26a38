// How large the pieces are that workgroups take: chosen once per device from its limits, and told to the shaders as constants of their
// pipelines. Defaults from reasoning, not tuned on hardware.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/result.h"

namespace lava::vulkan {

// The least that Vulkan asks of a device.
struct Limits {
  uint32_t invocations = 128;      // of a workgroup
  uint32_t shared_bytes = 16384;   // of a workgroup
  uint32_t subgroup = 32;          // invocations that step together
};
// `device`, or what LAVASCOPE_VULKAN_LIMITS has it play: "128,16,64" are invocations, KiB and subgroup.
Result<Limits> played_limits(const Limits& device, std::string_view wish);

// A tile of a product with many rows. An invocation computes rows / (threads / 16) x outputs / 16 results.
struct GemmTile {
  uint32_t threads, rows, outputs;
  // 32 values along `in` of either side as float32, padded against bank conflicts.
  constexpr uint32_t shared_bytes() const { return 4 * 32 * (rows + 4 + outputs + 4); }
};

// C (m x n) += A (m x k) B (k x n), which a subgroup computes at once.
struct MatrixShape {
  uint32_t m, n, k;
  bool operator==(const MatrixShape&) const = default;
};
// What gemm_matrix.comp divides without a rest.
bool possible(const MatrixShape& shape);
// `device`, or what LAVASCOPE_VULKAN_MATRIX has it play: "0" is none, "16,8,16" a shape, which the driver must be able to multiply.
Result<std::vector<MatrixShape>> played_shapes(std::vector<MatrixShape> device, std::string_view wish);

// A tile of a product with many rows that subgroups multiply in matrices. They share it in a grid, `across` of them side by side along the outputs.
struct MatrixTile {
  uint32_t threads = 0, rows = 0, outputs = 0;  // threads 0: the device multiplies none
  uint32_t subgroup = 0, across = 0;
  MatrixShape shape{};

  constexpr uint32_t subgroups() const { return threads / subgroup; }
  constexpr uint32_t least_rows() const { return shape.m * subgroups() / across; }
  constexpr uint32_t least_outputs() const { return shape.n * across; }
  // 32 values along `in` of either side as float16, padded against bank conflicts; a matrix of results per subgroup; squares; powers.
  constexpr uint32_t shared_bytes() const { return 80 * (rows + outputs) + 4 * shape.m * shape.n * subgroups() + 16 * rows + 4 * (rows + outputs); }
};
constexpr uint32_t most_matrix_threads = 256;
// The first shape's that fits and that `translates`: a driver does not compile for all that it lists.
MatrixTile choose_matrix_tile(const Limits& limits, std::span<const MatrixShape> shapes, const std::function<bool(const MatrixTile&)>& translates);

struct Tiles {
  uint32_t threads = 128;            // of a workgroup at most: ops that go value by value or row by row, products of few rows, attention
  GemmTile gemm{128, 32, 64};        // the largest; fewer rows take a shorter one
  MatrixTile matrix;                 // the largest, where there are products of matrices
  uint32_t attention_queries = 16;   // that share the keys which a workgroup reads
  uint32_t attention_keys = 32;      // at a time
  uint32_t attention_least = 32;     // threads: whole tiles of keys, and whole subgroups
  uint32_t shared_bytes = 16384;     // what a workgroup may have
};
Tiles choose_tiles(const Limits& limits);

// The tile for so many rows: shorter where half of it would stand empty.
GemmTile gemm_tile(const Tiles& tiles, int64_t rows);
// The same, and narrower where few workgroups would have work.
MatrixTile matrix_tile(const Tiles& tiles, int64_t rows, int64_t outputs);

// Shared memory of attend.glsl, whose queries come in chunks.
constexpr uint32_t attention_chunk = 32;
constexpr int64_t attention_bytes(int64_t queries, int64_t keys) { return 4 * (queries * (attention_chunk + 1 + keys + 3) + keys * (attention_chunk + 1)); }
// Of rope_attention.comp, which keeps whole queries, the new key and the new value.
constexpr int64_t rope_attention_bytes(int64_t queries, int64_t keys, int64_t d) {
  return attention_bytes(queries, keys) + 4 * (queries * ((d - 1) / attention_chunk * attention_chunk) + 2 * d);
}

}  // namespace lava::vulkan
