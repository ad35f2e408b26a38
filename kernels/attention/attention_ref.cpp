#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/lane.h"

namespace lava::reference {
namespace {

// One query of one head over keys 0 .. seen.
void attend(const AttentionArgs& a, int64_t row, int64_t head, int64_t seen) {
  const int64_t d = a.q.extent[2], kv_head = head / (a.q.extent[1] / a.k.extent[0]);
  const float* q = a.q.as<float>() + row * a.q.stride[0] + head * a.q.stride[1];
  float* out = a.out.as<float>() + row * a.out.stride[0] + head * a.out.stride[1];
  std::vector<double> weight(seen), sum(d);
  for (int64_t p = 0; p < seen; ++p) {
    for (int64_t i = 0; i < d; ++i) weight[p] += q[i] * cache_value(a.k, kv_head, p, i);
    weight[p] *= a.scale;
  }
  const double highest = *std::max_element(weight.begin(), weight.end());
  double total = 0;
  for (int64_t p = 0; p < seen; ++p) {
    weight[p] = std::exp(weight[p] - highest);
    total += weight[p];
    for (int64_t i = 0; i < d; ++i) sum[i] += weight[p] * cache_value(a.v, kv_head, p, i);
  }
  for (int64_t i = 0; i < d; ++i) out[i] = static_cast<float>(sum[i] / total);
}

}  // namespace

void attention(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  const int64_t past = a.step ? a.step->past : 0, heads = a.q.extent[1];
  LAVA_CHECK(!a.causal || past + a.q.extent[0] <= a.k.extent[1]);
  const auto [begin, end] = lane.share(a.q.extent[0] * heads);
  for (int64_t i = begin; i < end; ++i) attend(a, i / heads, i % heads, a.causal ? past + i / heads + 1 : a.k.extent[1]);
}

}  // namespace lava::reference
