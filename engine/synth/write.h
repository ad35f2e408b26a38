// Random weights of a real shape as a GGUF file that any engine loads.
#pragma once
#include <filesystem>
#include <functional>
#include <variant>

#include "engine/synth/plan.h"

namespace lava::synth {

struct Order {
  std::variant<TextShape, VisionShape> shape;
  std::string title;
  FileFormat format;
  uint64_t seed = 1;
};
Order order_of(const Shape& shape, const FileFormat& format, uint64_t seed);

struct Written {
  uint64_t bytes = 0;
  size_t tensors = 0;
};
using Progress = std::function<void(uint64_t done, uint64_t total)>;  // bytes

// Tensor by tensor, with a few megabytes of memory. The same order gives the same bytes.
Result<Written> write_model(const Order& order, const std::filesystem::path& path, const Progress& progress = {});

}  // namespace lava::synth
