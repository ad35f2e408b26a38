#include "kernels/linear/linear.h"

#include <bit>
#include <utility>

#include "kernels/linear/matrix_vulkan.h"
#include "kernels/linear/prepared.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {
namespace {

// Up to so many rows a weight is widened for each of them in registers; above, tiles share what is widened. A default, not tuned.
constexpr int64_t most_few_rows = 8;
// From so many rows on subgroups multiply matrices, where a device can: below, reading the weights once more for their powers costs more than it
// saves. A default, not tuned.
constexpr int64_t least_matrix_rows = 32;

// How a target's results meet those of the second one, as gemv.comp numbers it.
enum class Gate : uint32_t { none, pair, by_other };

// What an op's dispatches share.
struct Product {
  const LinearArgs& args;
  Encoder& encoder;
  VkDeviceAddress x, gain;
  std::array<VkDeviceAddress, 3> weight{};
  std::array<VkDeviceAddress, 3> powers{};  // of gemm_powers.comp for a target that is multiplied in matrices; 0 for another
  VkDeviceAddress x_powers = 0;

  Product(const LinearArgs& a, Encoder& encoder) : args(a), encoder(encoder), x(encoder.address(a.x)), gain(encoder.address(a.norm.gain)) {
    for (size_t i = 0; i < static_cast<size_t>(a.targets); ++i) {
      check_matrix(a.target[i].weight);
      weight[i] = encoder.address(a.target[i].weight);
    }
  }
  int64_t rows() const { return args.x.extent[0]; }
  // Matrices round to float16, more finely than what such a target may meet on other devices: 8-bit codes, or BF16.
  bool by_matrices(size_t i) const {
    const Matrix& w = args.target[i].weight;
    return encoder.tiles().matrix.threads > 0 && rows() >= least_matrix_rows && (takes_prepared(w) || takes_bf16(w, rows()));
  }
  bool aligned(size_t i) const { return reads_fours(args.target[i].weight, weight[i]) && x % 16 == 0 && gain % 16 == 0 && args.x.stride[0] % 4 == 0; }
  bool together(size_t i, size_t j) const {
    const Matrix &a = args.target[i].weight, &b = args.target[j].weight;
    return a.format == b.format && a.layout == b.layout && aligned(i) == aligned(j);
  }
};

// Targets [first, end), which are of one form; `gate`: there is a second one in any case.
void multiply_few(const Product& p, size_t first, size_t end, Gate gate) {
  struct Target {
    VkDeviceAddress weight, bias, out;
  };
  struct {
    VkDeviceAddress x, gain;
    std::array<Target, 3> target;
    std::array<uint32_t, 3> outputs, out_stride;
    uint32_t in, x_stride;
    float eps;
    uint32_t rows_kinds;
  } push{p.x, p.gain, {}, {}, {}, u32(p.args.x.extent[1]), u32(p.args.x.stride[0]), p.args.norm.eps, u32(p.rows())};
  uint32_t groups = 0;
  for (size_t i = first; i < (gate == Gate::none ? end : 2); ++i) {
    const LinearTarget& t = p.args.target[i];
    const size_t place = i - first;
    push.target[place] = {p.weight[i], p.encoder.address(t.bias), p.encoder.address(t.out)};
    push.outputs[place] = u32(t.weight.out), push.out_stride[place] = u32(t.out.stride[0]);
    push.rows_kinds |= (static_cast<uint32_t>(t.activation) | (t.accumulate ? 8u : 0u)) << (4 + 4 * place);
    if (place == 0 || gate == Gate::none) groups += u32((t.weight.out + 15) / 16);
  }
  const Matrix& w = p.args.target[first].weight;
  p.encoder.dispatch(shaders::gemv, p.encoder.tiles().threads,
                     {static_cast<uint32_t>(w.format), w.layout == MatrixLayout::interleaved16, p.aligned(first), std::bit_ceil(u32(p.rows())), p.gain != 0,
                      static_cast<uint32_t>(gate)},
                     {groups, 1, 1}, push);
}

// The powers of two for targets that are multiplied in matrices: of x once, of each matrix.
void find_powers(Product& p) {
  const size_t targets = static_cast<size_t>(p.args.targets);
  size_t count = 0;
  std::array<size_t, 3> at{};
  for (size_t i = 0; i < targets; ++i) {
    if (!p.by_matrices(i)) continue;
    if (count == 0) count = static_cast<size_t>(p.rows());
    at[i] = std::exchange(count, count + static_cast<size_t>(p.args.target[i].weight.out));
  }
  if (count == 0) return;
  const VkDeviceAddress scratch = p.encoder.scratch(4 * count);
  if (scratch == 0) return;  // finish() tells
  for (size_t i = 0; i < targets; ++i) {
    if (at[i] == 0) continue;
    const Matrix& w = p.args.target[i].weight;
    const int64_t rows = p.x_powers == 0 ? p.rows() : 0;
    p.x_powers = scratch, p.powers[i] = scratch + 4 * at[i];
    const struct {
      VkDeviceAddress x, gain, weight, x_powers, w_powers;
      uint32_t rows, in, outputs, x_stride;
    } push{p.x, p.gain, p.weight[i], p.x_powers, p.powers[i], u32(rows), u32(w.in), u32(w.out), u32(p.args.x.stride[0])};
    p.encoder.dispatch(shaders::gemm_powers, p.encoder.tiles().threads,
                       {static_cast<uint32_t>(w.format), w.layout == MatrixLayout::interleaved16, p.aligned(i), p.gain != 0},
                       {u32((rows + 15) / 16 + (w.out + 15) / 16), 1, 1}, push);
  }
  p.encoder.barrier();
}

// One target; `other` (or empty) multiplies its results.
void multiply_many(const Product& p, size_t i, const Tensor& other) {
  const LinearTarget& t = p.args.target[i];
  const struct {
    VkDeviceAddress x, gain, weight, bias, out, other, x_powers, powers;
    uint32_t rows, in, outputs, x_stride, out_stride, other_stride, accumulate;
    float eps;
  } push{p.x, p.gain, p.weight[i], p.encoder.address(t.bias), p.encoder.address(t.out), p.encoder.address(other), p.x_powers, p.powers[i],
         u32(p.rows()), u32(t.weight.in), u32(t.weight.out), u32(p.args.x.stride[0]), u32(t.out.stride[0]), other.empty() ? 0 : u32(other.stride[0]), t.accumulate,
         p.args.norm.eps};
  const auto format = static_cast<uint32_t>(t.weight.format), activation = static_cast<uint32_t>(t.activation);
  const bool interleaved = t.weight.layout == MatrixLayout::interleaved16;
  const auto groups = [&](const auto& tile) { return Groups{u32((t.weight.out + tile.outputs - 1) / tile.outputs), u32((p.rows() + tile.rows - 1) / tile.rows), 1}; };
  if (p.powers[i] != 0) {
    const MatrixTile tile = matrix_tile(p.encoder.tiles(), p.rows(), t.weight.out);
    p.encoder.dispatch(shaders::gemm_matrix, tile.threads,
                       {format, interleaved, p.aligned(i), tile.rows, tile.outputs, activation, p.gain != 0, tile.shape.m, tile.shape.n, tile.shape.k,
                        tile.subgroup, tile.across},
                       groups(tile), push);
    return;
  }
  const GemmTile tile = gemm_tile(p.encoder.tiles(), p.rows());
  p.encoder.dispatch(shaders::gemm, tile.threads, {format, interleaved, p.aligned(i), tile.rows, tile.outputs, activation, p.gain != 0}, groups(tile), push);
}

}  // namespace

void linear(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  Product p(a, encoder);
  const size_t targets = static_cast<size_t>(a.targets);
  const bool few = p.rows() <= most_few_rows;
  if (!few) find_powers(p);
  if (a.gated) {
    if (few && p.together(0, 1)) return multiply_few(p, 0, 1, Gate::pair);
    few ? multiply_few(p, 1, 2, Gate::none) : multiply_many(p, 1, {});
    encoder.barrier();
    return few ? multiply_few(p, 0, 1, Gate::by_other) : multiply_many(p, 0, a.target[1].out);
  }
  for (size_t first = 0, end = 0; first < targets; first = end) {
    end = first + 1;
    if (!few) {
      multiply_many(p, first, {});
      continue;
    }
    while (end < targets && p.together(first, end)) ++end;
    multiply_few(p, first, end, Gate::none);
  }
}

}  // namespace lava::vulkan
