#include "engine/encoders/convolutions.h"

#include <algorithm>

#include "kernels/ops.h"

namespace lava::conv {
namespace {

// The smaller half of the padding goes before.
int padding_before(int n, int side, int stride) { return std::max(((n + stride - 1) / stride - 1) * stride + side - n, 0) / 2; }

Tensor rows_of(const Tensor& map) { return map.reshape({map.rows(), map.width()}); }

// The same memory with another number of channels; x says whether it is one map or a stack.
Tensor map_like(Run& run, const Tensor& x, int h, int w, int channels) {
  return x.rank == 4 ? run.arena.f32({x.extent[0], h, w, channels}) : run.arena.f32({h, w, channels});
}

}  // namespace

Result<Pointwise> load_pointwise(Weights& weights, const io::TensorSource& source, const std::string& name, int out, int in, Activation activation) {
  Pointwise layer;
  layer.activation = activation;
  LAVA_TRY(layer.weight, weights.matrix(source, name + ".weight", out, in, Precision::exact));
  LAVA_TRY(layer.bias, weights.dense(source, name + ".bias", {out}));
  return layer;
}

Result<Window> load_window(Weights& weights, const io::TensorSource& source, const std::string& name, const WindowShape& shape) {
  Weights scratch(weights.device());
  const int64_t out = shape.out, in = shape.in, side = shape.side, taps = side * side;
  LAVA_TRY(const Tensor file, scratch.dense(source, name + ".weight", {out, in, side, side}));
  Window window;
  window.stride = shape.stride, window.depthwise = shape.depthwise;
  if (shape.depthwise) {
    LAVA_TRY(window.weight, weights.zeros({side, side, out}));
  } else {
    LAVA_TRY(window.weight, weights.zeros({side, side, in, out}));
  }
  for (int64_t o = 0; o < out; ++o)
    for (int64_t i = 0; i < in; ++i)
      for (int64_t tap = 0; tap < taps; ++tap) window.weight.f32()[(tap * in + i) * out + o] = file.f32()[(o * in + i) * taps + tap];
  LAVA_TRY(window.bias, weights.dense(source, name + ".bias", {out}));
  return window;
}

Tensor convolve(Run& run, const Tensor& x, const Window& window) {
  const int axis = x.rank - 3, h = x.extent[static_cast<size_t>(axis)], w = x.extent[static_cast<size_t>(axis + 1)], s = window.stride;
  const int channels = static_cast<int>(window.bias.elements()), side = window.weight.extent[0];
  const int64_t oh = (h + s - 1) / s, ow = (w + s - 1) / s;
  const Tensor out = map_like(run, x, static_cast<int>(oh), static_cast<int>(ow), channels);
  Conv2dArgs args;
  args.weight = window.weight, args.bias = window.bias, args.depthwise = window.depthwise, args.activation = Activation::relu6;
  args.stride = s, args.pad_top = padding_before(h, side, s), args.pad_left = padding_before(w, side, s);
  for (int64_t i = 0; i < (x.rank == 4 ? x.extent[0] : 1); ++i) {
    args.x = x.rank == 4 ? x.slice(i, 1).reshape({h, w, x.width()}) : x;
    args.out = x.rank == 4 ? out.slice(i, 1).reshape({oh, ow, channels}) : out;
    ops::conv2d(run, args);
  }
  return out;
}

void product(Run& run, const Tensor& out, const Tensor& x, const Pointwise& layer, bool accumulate) {
  const LinearTarget target{layer.weight, layer.bias, rows_of(out), layer.activation, accumulate};
  ops::linear(run, {&target, 1}, rows_of(x));
}

Tensor product(Run& run, const Tensor& x, const Pointwise& layer) {
  const size_t axis = static_cast<size_t>(x.rank - 3);
  const Tensor out = map_like(run, x, x.extent[axis], x.extent[axis + 1], layer.weight.out);
  product(run, out, x, layer);
  return out;
}

}  // namespace lava::conv
