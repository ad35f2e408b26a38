#include "kernels/linear/linear.h"

#include <bit>

#include "kernels/linear/matrix_vulkan.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {
namespace {

// Up to so many rows a weight is widened for each of them in registers; above, tiles share what is widened. A default, not tuned.
constexpr int64_t most_few_rows = 8;

// How a target's results meet those of the second one, as gemv.comp numbers it.
enum class Gate : uint32_t { none, pair, by_other };

// What an op's dispatches share.
struct Product {
  const LinearArgs& args;
  Encoder& encoder;
  VkDeviceAddress x, gain;
  std::array<VkDeviceAddress, 3> weight{};

  Product(const LinearArgs& a, Encoder& encoder) : args(a), encoder(encoder), x(encoder.address(a.x)), gain(encoder.address(a.norm.gain)) {
    for (size_t i = 0; i < static_cast<size_t>(a.targets); ++i) {
      check_matrix(a.target[i].weight);
      weight[i] = encoder.address(a.target[i].weight);
    }
  }
  int64_t rows() const { return args.x.extent[0]; }
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

// One target; `other` (or empty) multiplies its results.
void multiply_many(const Product& p, size_t i, const Tensor& other) {
  const LinearTarget& t = p.args.target[i];
  const struct {
    VkDeviceAddress x, gain, weight, bias, out, other;
    uint32_t rows, in, outputs, x_stride, out_stride, other_stride, accumulate;
    float eps;
  } push{p.x,          p.gain,           p.weight[i],            p.encoder.address(t.bias), p.encoder.address(t.out),
         p.encoder.address(other), u32(p.rows()), u32(t.weight.in), u32(t.weight.out),         u32(p.args.x.stride[0]),
         u32(t.out.stride[0]),     other.empty() ? 0 : u32(other.stride[0]), t.accumulate,     p.args.norm.eps};
  const GemmTile tile = gemm_tile(p.encoder.tiles(), p.rows());
  p.encoder.dispatch(shaders::gemm, tile.threads,
                     {static_cast<uint32_t>(t.weight.format), t.weight.layout == MatrixLayout::interleaved16, p.aligned(i), tile.rows, tile.outputs,
                      static_cast<uint32_t>(t.activation), p.gain != 0},
                     {u32((t.weight.out + tile.outputs - 1) / tile.outputs), u32((p.rows() + tile.rows - 1) / tile.rows), 1}, push);
}

}  // namespace

void linear(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  const Product p(a, encoder);
  const size_t targets = static_cast<size_t>(a.targets);
  const bool few = p.rows() <= most_few_rows;
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
