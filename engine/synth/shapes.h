// Shapes of published models, to be filled with random weights: they take the time and the memory of the real ones and know nothing.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/encoders/vit_config.h"
#include "engine/models/text_config.h"
#include "engine/synth/vocabulary.h"

namespace lava::synth {

struct TextShape {
  TextConfig config;  // family, sizes, rope_base, eps, qkv_bias
  bool tied = false;  // the output matrix is the table of embeddings
  Vocabulary vocabulary = Vocabulary::sentence_piece;
  std::string split = "default";  // tokenizer.ggml.pre
};

struct VisionShape {
  VitConfig tower;       // layers: as many as are stored; outputs are not written
  int text_width = 4096;  // of the rows that the projector makes
};

struct Shape {
  std::string_view name;         // "llava-1.5-7b"
  std::string_view title;        // "LLaVA 1.5 7B"
  std::string_view description;  // one line
  std::optional<TextShape> text;      // exactly one of the two
  std::optional<VisionShape> vision;
  std::string_view partner = {};  // the tower that goes with a language model that sees
};

const std::vector<Shape>& shapes();
// An error names all that exist.
Result<const Shape*> find_shape(std::string_view name);

}  // namespace lava::synth
