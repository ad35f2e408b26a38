// The rows that the language model has for words: for connectors that speak its vocabulary.
#pragma once
#include <string_view>
#include <vector>

#include "kernels/result.h"

namespace lava {

class TextEmbeddings {
 public:
  virtual ~TextEmbeddings() = default;
  virtual int width() const = 0;
  // Mean of the embedding rows of the tokens of `text` as it stands, without special tokens, in float32. Only used while loading.
  virtual Result<std::vector<float>> mean_embedding(std::string_view text) const = 0;
};

}  // namespace lava
