// Parts of connectors that make rows of the words of a language model.
#pragma once
#include <span>
#include <string>

#include "engine/connectors/text_embeddings.h"
#include "engine/core/prompt.h"
#include "engine/core/weights.h"
#include "kernels/activation/activate.h"
#include "kernels/run.h"

namespace lava::words {

struct Linear {
  Matrix weight;
  Tensor bias;
};

// First extent of the matrix `name`, for sizes that no configuration names.
Result<int64_t> first_extent(const io::TensorSource& source, std::string_view name);
// name + ".weight" [out, in], name + ".bias" [out].
Result<Linear> load_linear(Weights& weights, const io::TensorSource& source, const std::string& name, int64_t out, int64_t in);

// Linear on (x - mean) / deviation: the deviation is divided into the weight.
struct Standardised {
  Tensor minus_mean;  // [in]
  Linear layer;

  Tensor hidden(Run& run, const Tensor& x) const;  // with GELU, [rows, hidden] in the arena
};
struct StandardisedNames {
  std::string layer, mean, deviation;
};
Result<Standardised> load_standardised(Weights& weights, const io::TensorSource& source, const StandardisedNames& names, int64_t in);

// [words, width]: the embeddings of " " + word; no word gives zeros.
Result<Tensor> word_rows(Weights& weights, const TextEmbeddings& text, std::span<const std::string> words);
// [width, rows]: the rows as columns, so that probabilities over words become a row by one product.
Result<Matrix> as_columns(Weights& weights, const Tensor& rows);
// [count, width]: the embeddings of "1", "2", ...
Result<Tensor> digit_rows(Weights& weights, const TextEmbeddings& text, int count);

void apply(Run& run, const Linear& linear, const Tensor& out, const Tensor& x, Activation activation = Activation::none, bool accumulate = false);
void apply(Run& run, const Matrix& weight, const Tensor& out, const Tensor& x);

// sin and cos of pi 2^j (cx, cy, w, h), coordinate by coordinate: 16 sines, then 16 cosines.
inline constexpr int octaves = 4, wave_features = 2 * 4 * octaves;
void place_waves(const Box& box, float* out);

}  // namespace lava::words
