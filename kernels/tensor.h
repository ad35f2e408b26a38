// A small value that names memory owned by someone else (weights, an Arena, a KV cache). Shapes are in memory order: the last extent is fastest.
// Accessors are always inlined: kernels of one instruction set may not leave a shared copy behind.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "kernels/check.h"
#include "kernels/dtype.h"

namespace lava {

struct Tensor {
  DType dtype = DType::f32;
  uint8_t rank = 0;
  std::array<int32_t, 4> extent{1, 1, 1, 1};
  std::array<int64_t, 4> stride{0, 0, 0, 0};  // in values; quantised tensors are contiguous
  std::byte* data = nullptr;

  Tensor() = default;
  Tensor(DType type, std::initializer_list<int64_t> shape, void* address) : dtype(type), data(static_cast<std::byte*>(address)) {
    LAVA_CHECK(shape.size() >= 1 && shape.size() <= 4);
    for (const int64_t n : shape) extent[rank++] = static_cast<int32_t>(n);
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; --i) {
      stride[i] = step;
      step *= extent[i];
    }
  }

  [[gnu::always_inline]] bool empty() const { return data == nullptr; }
  [[gnu::always_inline]] int64_t elements() const {
    int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= extent[i];
    return n;
  }
  [[gnu::always_inline]] int32_t width() const { return extent[rank - 1]; }            // values of a row
  [[gnu::always_inline]] int64_t rows() const { return elements() / extent[rank - 1]; }  // all leading extents together
  [[gnu::always_inline]] size_t bytes() const { return row_bytes(dtype, elements()); }
  [[gnu::always_inline]] bool contiguous() const {
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; --i) {
      if (extent[i] != 1 && stride[i] != step) return false;
      step *= extent[i];
    }
    return true;
  }

  template <class T>
  [[gnu::always_inline]] T* as() const {
    return reinterpret_cast<T*>(data);
  }
  [[gnu::always_inline]] float* f32() const {
    LAVA_CHECK(dtype == DType::f32);
    return as<float>();
  }
  // Row `i` of a rank-2 tensor.
  [[gnu::always_inline]] float* row(int64_t i) const { return f32() + i * stride[rank - 2]; }

  // Rows [begin, begin + count) along the first extent.
  Tensor slice(int64_t begin, int64_t count) const {
    LAVA_CHECK(begin >= 0 && count >= 0 && begin + count <= extent[0]);
    Tensor view = *this;
    view.extent[0] = static_cast<int32_t>(count);
    view.data += row_bytes(dtype, begin * stride[0]);
    return view;
  }
  // Columns [begin, begin + count) along the last extent; the rest keeps its strides.
  Tensor columns(int64_t begin, int64_t count) const {
    LAVA_CHECK(begin >= 0 && begin + count <= extent[rank - 1]);
    Tensor view = *this;
    view.extent[rank - 1] = static_cast<int32_t>(count);
    view.data += row_bytes(dtype, begin);
    return view;
  }
  // The same contiguous memory under another shape.
  Tensor reshape(std::initializer_list<int64_t> shape) const {
    LAVA_CHECK(contiguous());
    Tensor view(dtype, shape, data);
    LAVA_CHECK(view.elements() == elements());
    return view;
  }
};

}  // namespace lava
