// A tensor seen as rows of contiguous values at one distance from each other.
#pragma once
#include "kernels/tensor.h"

namespace lava {

struct Rows {
  float* data = nullptr;
  int64_t count = 1, width = 1, stride = 0;

  [[gnu::always_inline]] explicit Rows(const Tensor& t)
      : data(t.as<float>()), count(t.rows()), width(t.width()), stride(t.rank > 1 ? t.stride[t.rank - 2] : t.width()) {}
  [[gnu::always_inline]] float* row(int64_t i) const { return data + i * stride; }
  [[gnu::always_inline]] bool packed() const { return stride == width; }
};

// Whether `t` is float32 and can be seen as Rows: values of a row side by side, leading extents nested without gaps.
inline bool is_rows(const Tensor& t) {
  if (t.dtype != DType::f32 || t.rank < 1 || (t.width() > 1 && t.stride[t.rank - 1] != 1)) return false;
  for (int i = 0; i + 2 < t.rank; ++i) {
    if (t.extent[i] != 1 && t.stride[i] != t.stride[i + 1] * t.extent[i + 1]) return false;
  }
  return true;
}

inline bool same_shape(const Tensor& a, const Tensor& b) { return a.rank == b.rank && a.extent == b.extent; }
// A contiguous float32 vector of `n` values.
inline bool is_vector(const Tensor& t, int64_t n) { return t.dtype == DType::f32 && t.contiguous() && t.elements() == n; }

}  // namespace lava
