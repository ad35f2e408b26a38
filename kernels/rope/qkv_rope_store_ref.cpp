#include <algorithm>
#include <vector>

#include "kernels/attention/cache.h"
#include "kernels/lane.h"
#include "kernels/rope/qkv_rope_store.h"

namespace lava::reference {
namespace {

// (a, b) -> (a cos - b sin, b cos + a sin) for each pair of the first `rotary` values.
void rotate(float* x, const float* cos_sin, int64_t rotary, RopeStyle style) {
  const int64_t pairs = rotary / 2;
  for (int64_t i = 0; i < pairs; ++i) {
    float& a = style == RopeStyle::half ? x[i] : x[2 * i];
    float& b = style == RopeStyle::half ? x[i + pairs] : x[2 * i + 1];
    const double c = cos_sin[i], s = cos_sin[pairs + i], a0 = a, b0 = b;
    a = static_cast<float>(a0 * c - b0 * s);
    b = static_cast<float>(b0 * c + a0 * s);
  }
}

}  // namespace

void qkv_rope_store(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const QkvRopeStoreArgs*>(args);
  const int64_t past = a.step ? a.step->past : 0, rotary = a.cos_sin.extent[1], d = a.k.extent[2];
  LAVA_CHECK(past >= 0 && past + a.q.extent[0] <= a.k_cache.extent[1] && past + a.q.extent[0] <= a.cos_sin.extent[0]);
  const auto [begin, end] = lane.share(a.q.extent[0]);
  std::vector<float> key(d);
  for (int64_t row = begin; row < end; ++row) {
    const float* cos_sin = a.cos_sin.as<float>() + (past + row) * rotary;
    for (int64_t h = 0; h < a.q.extent[1]; ++h) rotate(a.q.as<float>() + row * a.q.stride[0] + h * a.q.stride[1], cos_sin, rotary, a.style);
    for (int64_t h = 0; h < a.k.extent[1]; ++h) {
      const float* k = a.k.as<float>() + row * a.k.stride[0] + h * a.k.stride[1];
      std::copy(k, k + d, key.begin());
      rotate(key.data(), cos_sin, rotary, a.style);
      cache_store(a.k_cache, h, past + row, key.data());
      cache_store(a.v_cache, h, past + row, a.v.as<float>() + row * a.v.stride[0] + h * a.v.stride[1]);
    }
  }
}

}  // namespace lava::reference
