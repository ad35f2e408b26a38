// Rows for a detector's grid and objects, in words of the language model: a cell is a mixture of noun embeddings plus a learned rest; an
// object is four rows: its mark, the detector's class, the noun, colour and place. After MG-LLaVA's object tokens (Zhao et al. 2024).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/connectors/connector.h"
#include "engine/connectors/word_rows.h"

namespace lava {

struct ObjectTokensConfig {
  std::vector<std::string> nouns;    // the model adds "nothing"
  std::vector<std::string> colours;
  std::vector<std::string> classes;  // of the tower's class probabilities; empty where an id has no name
  int max_objects = 8;               // marks are single digits
};

class ObjectTokens final : public Connector {
 public:
  static constexpr int rows_per_object = 4;

  static Result<std::unique_ptr<ObjectTokens>> load(Weights& weights, const io::TensorSource& source, const ObjectTokensConfig& config,
                                                    const EncoderInfo& tower, const TextEmbeddings& text);

  Signals needs() const override;
  int width() const override { return width_; }
  ConnectorPlan plan(std::span<const View> views, Size image, int pictures_in_prompt) const override;
  Result<PictureRows> fill(Run& run, std::span<const View> views, Size image, int pictures_in_prompt, const Features& features) override;

 private:
  using Linear = words::Linear;
  using Trunk = words::Standardised;

  ObjectTokens() = default;
  Result<void> load_tables(Weights& weights, const ObjectTokensConfig& config, const TextEmbeddings& text);
  Result<void> load_layers(Weights& weights, const io::TensorSource& source, const EncoderInfo& tower);
  // out = softmax(scores(h)) x vocabulary
  void mix(Run& run, const Linear& scores, const Matrix& vocabulary, const Tensor& h, const Tensor& out) const;
  Tensor object_rows(Run& run, const Features& features) const;

  int width_ = 0, cells_ = 0, grid_w_ = 0, max_objects_ = 0;
  Trunk grid_, object_;
  Linear grid_noun_, grid_rest_, noun_, rest_, colour_, place_;
  Tensor positions_;                            // [cells, width]
  Tensor kinds_;                                // [4, width]
  Matrix noun_words_, colour_words_, class_words_;  // [width, words]
  Tensor digits_;                               // [max_objects, width]
};

}  // namespace lava
