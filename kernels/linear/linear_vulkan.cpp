#include "kernels/linear/linear.h"

#include <bit>

#include "kernels/linear/matrix_vulkan.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {
namespace {

// Up to so many rows a weight is widened for each of them in registers; above, tiles share what is widened. Defaults, not tuned.
constexpr int64_t most_few_rows = 8;

struct Push {
  VkDeviceAddress x, weight, bias, out, other;
  uint32_t rows, in, outputs, x_stride, out_stride, other_stride, kind, accumulate;
};

// One target, its weights at an address; `other` (or empty) multiplies the result.
void multiply(Encoder& encoder, const Tensor& x, const LinearTarget& target, VkDeviceAddress weight, const Tensor& other) {
  const Matrix& w = target.weight;
  check_matrix(w);
  const int64_t rows = x.extent[0];
  const Push push{encoder.address(x),       weight,                  encoder.address(target.bias),    encoder.address(target.out),
                  encoder.address(other),   u32(rows),               u32(w.in),                       u32(w.out),
                  u32(x.stride[0]),         u32(target.out.stride[0]), other.empty() ? 0 : u32(other.stride[0]), static_cast<uint32_t>(target.activation),
                  target.accumulate};
  const bool aligned = reads_fours(w, push.weight) && push.x % 16 == 0 && x.stride[0] % 4 == 0;
  const bool tiled = rows > most_few_rows;
  const uint32_t columns = tiled ? 1 : std::bit_ceil(u32(rows)), rows_each = rows <= 32 ? 2 : 4;
  const Groups groups = tiled ? Groups{u32((w.out + 63) / 64), u32((rows + 16 * rows_each - 1) / (16 * rows_each)), 1} : Groups{u32((w.out + 15) / 16), 1, 1};
  encoder.dispatch(shaders::linear, 256,
                   {static_cast<uint32_t>(w.format), w.layout == MatrixLayout::interleaved16, aligned, tiled, columns, tiled ? rows_each : 1}, groups, push);
}

}  // namespace

void linear(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const LinearArgs*>(args);
  std::array<VkDeviceAddress, 3> weights{};
  for (size_t i = 0; i < static_cast<size_t>(a.targets); ++i) weights[i] = encoder.address(a.target[i].weight);
  if (a.gated) {
    multiply(encoder, a.x, a.target[1], weights[1], {});
    encoder.barrier();
    return multiply(encoder, a.x, a.target[0], weights[0], a.target[1].out);
  }
  for (size_t i = 0; i < static_cast<size_t>(a.targets); ++i) multiply(encoder, a.x, a.target[i], weights[i], {});
}

}  // namespace lava::vulkan
