// How far results are from what was expected.
#pragma once
#include "kernels/tensor.h"

namespace lava {

struct Comparison {
  double nmse = 0;     // sum (actual - expected)^2 / sum expected^2; infinite for NaN, or for anything instead of zeros
  double max_abs = 0;  // largest |actual - expected|
};

// Over the values of `actual` that differ from `before` on either side: in a cache the untouched rest would hide a difference.
// `expected` and `before` hold copies of the tensor's memory, beginning at actual.data. f32, f16 and q8_0 (also as caches), where a block
// has changed as a whole; other types compare as bytes.
Comparison compare_changed(const Tensor& actual, const std::byte* expected, const std::byte* before);

// Calls f(byte offset from t.data) for each value, or for each block of a quantised tensor.
template <class F>
void for_each_value(const Tensor& t, const F& f) {
  const auto [name, block, size] = dtype_info(t.dtype);
  if (block > 1) {  // without gaps
    for (int64_t at = 0; at < static_cast<int64_t>(t.bytes()); at += size) f(at);
    return;
  }
  for (int64_t i = 0; i < t.elements(); ++i) {
    int64_t rest = i, at = 0;
    for (int axis = t.rank - 1; axis >= 0; --axis) {
      at += rest % t.extent[axis] * t.stride[axis] * size;
      rest /= t.extent[axis];
    }
    f(at);
  }
}

}  // namespace lava
