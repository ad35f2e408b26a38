// Convolutional layers of the towers, over maps [h, w, channels] or stacks of them [n, h, w, channels]. Padding is TensorFlow's SAME.
#pragma once
#include <string>

#include "engine/core/weights.h"
#include "kernels/activation/activate.h"
#include "kernels/run.h"

namespace lava::conv {

struct Pointwise {  // 1 x 1
  Matrix weight;
  Tensor bias;
  Activation activation = Activation::relu6;
};

struct Window {  // k x k, followed by ReLU6
  Tensor weight;  // [k, k, in, out], depthwise [k, k, channels]
  Tensor bias;
  int stride = 1;
  bool depthwise = true;
};

struct WindowShape {
  int out = 0, in = 1;  // in: 1 when depthwise
  int side = 3, stride = 1;
  bool depthwise = true;
};

// Tensors name + ".weight" [out, in, k, k] and name + ".bias" [out].
Result<Pointwise> load_pointwise(Weights& weights, const io::TensorSource& source, const std::string& name, int out, int in, Activation activation);
Result<Window> load_window(Weights& weights, const io::TensorSource& source, const std::string& name, const WindowShape& shape);

// [ceil(h / stride), ceil(w / stride), channels] per map, in the arena.
Tensor convolve(Run& run, const Tensor& x, const Window& window);
// All cells of all maps as one product.
void product(Run& run, const Tensor& out, const Tensor& x, const Pointwise& layer, bool accumulate = false);
// The product in the arena, shaped as x.
Tensor product(Run& run, const Tensor& x, const Pointwise& layer);

}  // namespace lava::conv
