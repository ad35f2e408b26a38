#include "kernels/cpu/simd.h"
#include "kernels/image/image_ops.h"
#include "kernels/lane.h"

namespace lava::LAVA_ISA {
namespace {

FloatVec window_sum(const float* x, int64_t size, int64_t row_step, int64_t c, int64_t values) {
  FloatVec sum = hn::Zero(df);
  for (int64_t y = 0; y < size; ++y) {
    for (int64_t k = 0; k < size; ++k) {
      const float* p = x + y * row_step + k * c;
      sum = hn::Add(sum, values < lanes ? load_part(p, values) : load(p));
    }
  }
  return sum;
}

}  // namespace

void pool_mean(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const PoolMeanArgs*>(args);
  const int64_t w = a.x.extent[1], c = a.x.extent[2], out_w = a.out.extent[1], size = a.size;
  const FloatVec factor = splat(1.0f / static_cast<float>(size * size));
  const auto [begin, end] = lane.share(a.out.extent[0] * out_w);
  for (int64_t item = begin; item < end; ++item) {
    const float* x = a.x.as<float>() + (item / out_w * size * w + item % out_w * size) * c;
    float* out = a.out.as<float>() + item * c;
    for (int64_t i = 0; i < c; i += lanes) {
      const FloatVec mean = hn::Mul(window_sum(x + i, size, w * c, c, c - i), factor);
      if (i + lanes <= c) store(mean, out + i);
      else store_part(mean, out + i, c - i);
    }
  }
}

}  // namespace lava::LAVA_ISA
