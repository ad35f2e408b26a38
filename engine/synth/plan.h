// What a made-up model consists of: settings, and tensors with the values they are to have.
#pragma once
#include "engine/io/gguf_header.h"
#include "engine/synth/formats.h"
#include "engine/synth/shapes.h"

namespace lava::synth {

struct Plan {
  struct Values {
    double deviation = 0, mean = 0;
  };
  io::GgufHeader header;
  std::vector<Values> values;  // of each tensor of the header

  void add(std::string name, DType format, std::vector<int64_t> shape, Values of) {
    header.add(std::move(name), format, std::move(shape));
    values.push_back(of);
  }
};

// `title`: general.name. Sizes that make no model are errors.
Result<Plan> plan_text(const TextShape& shape, const FileFormat& format, std::string_view title);
Result<Plan> plan_vision(const VisionShape& shape, const FileFormat& format, std::string_view title);

}  // namespace lava::synth
