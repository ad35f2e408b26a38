// What the towers saw, in words of the language model: two rows for the picture (what it is and what kind of picture, the colours of its
// border) and eight for every object: its mark, the three nouns that it most likely is, a mixture of colours, how far down and across it
// stands, how many of its kind there are. After MG-LLaVA's object tokens (Zhao et al. 2024) and set-of-mark prompting (Yang et al. 2023).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/connectors/connector.h"
#include "engine/connectors/word_rows.h"

namespace lava {

struct ObjectWordsConfig {
  std::vector<std::string> nouns;    // the model adds "nothing"
  std::vector<std::string> colours;  // in the order of the colour features
  std::vector<int> detector;         // per class of the detector its noun, -1 for none
  std::vector<int> classifier;       // per class of the classifier its noun, -1 for none
};

class ObjectWords final : public Connector {
 public:
  static constexpr int picture_rows = 2, rows_per_object = 8;

  static Result<std::unique_ptr<ObjectWords>> load(Weights& weights, const io::TensorSource& source, const ObjectWordsConfig& config,
                                                   const EncoderInfo& tower, const TextEmbeddings& text);

  Signals needs() const override;
  int width() const override { return width_; }
  ConnectorPlan plan(std::span<const View> views, Size image, int pictures_in_prompt) const override;
  Result<PictureRows> fill(Run& run, std::span<const View> views, Size image, int pictures_in_prompt, const Features& features) override;

 private:
  // The whole picture first, then the objects; in the arena.
  struct Seen {
    Tensor towers;         // [n, embedding | detector's classes]
    Tensor colours;        // [n, colour features]
    Tensor probabilities;  // [n, classifier's classes]
  };
  struct Named {
    Tensor nouns;    // [n, nouns] probabilities
    Tensor colours;  // [n, colours] probabilities
    Tensor kind;     // [1, kinds of pictures] probabilities
  };

  ObjectWords() = default;
  Result<void> load_tables(Weights& weights, const TextEmbeddings& text);
  Result<void> load_layers(Weights& weights, const io::TensorSource& source);
  Seen gather(Run& run, const Features& features) const;
  Named name(Run& run, const Seen& seen) const;
  void add_evidence(const Seen& seen, const Tensor& logits, const Tensor& sure) const;
  void write_picture(Run& run, const Seen& seen, const Named& named, const Tensor& rows) const;
  void write_objects(Run& run, std::span<const Object> objects, const Named& named, const Tensor& rows) const;
  Tensor guessed_nouns(Run& run, const Tensor& nouns) const;
  std::string best_noun(const float* nouns) const;

  int width_ = 0;
  ObjectWordsConfig config_;
  words::Standardised trunk_;
  words::Linear noun_, colour_hidden_, colour_, kind_, mark_, certain_, down_, across_, count_;
  float trust_classifier_ = 0, trust_detector_ = 0;
  Matrix noun_words_, colour_words_, kind_words_;  // [width, words]
  Tensor noun_table_;                              // [nouns, width], the same nouns
  Tensor digits_;                                  // [10, width]
  Tensor roles_;                                   // [10, width], in the order of the rows: those of an object, then those of the picture
};

}  // namespace lava
