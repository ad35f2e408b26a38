// Where an output row or column of a bilinear resize reads its input. Coordinates in float32, as PyTorch computes them.
#pragma once
#include <cstdint>

namespace lava {

struct BilinearTap {
  int64_t low, high;  // neighbours
  float weight;       // of `high`
};

[[gnu::always_inline]] inline BilinearTap bilinear_tap(int64_t output, int64_t outputs, int64_t inputs) {
  const float scale = static_cast<float>(inputs) / static_cast<float>(outputs);
  const float centre = scale * (static_cast<float>(output) + 0.5f) - 0.5f;
  const float source = centre < 0 ? 0 : centre;
  int64_t low = static_cast<int64_t>(source);
  if (low > inputs - 1) low = inputs - 1;
  return {low, low + (low < inputs - 1 ? 1 : 0), source - static_cast<float>(low)};
}

}  // namespace lava
