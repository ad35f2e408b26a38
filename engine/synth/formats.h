// Number formats that converters write whole models in, and what each tensor gets in them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "kernels/dtype.h"
#include "kernels/result.h"

namespace lava::synth {

enum class Mixture : uint8_t { plain, small, medium };  // of the K formats: "S" and "M" files

struct FileFormat {
  std::string_view name;  // "q4_k"
  DType base = DType::f16;
  uint32_t file_type = 0;  // general.file_type
  Mixture mixture = Mixture::plain;
};

const std::vector<FileFormat>& file_formats();
// An error names all that exist.
Result<FileFormat> find_format(std::string_view name);

enum class TensorRole : uint8_t { matrix, value, down, embedding, output };  // value: attn_v; down: ffn_down

// The format of a matrix of a language model whose rows have `in` values, in layer `layer` of `layers`.
DType text_format(const FileFormat& file, TensorRole role, int layer, int layers, int64_t in);
// The format of a matrix of a block or of the projector of a vision tower.
DType vision_format(const FileFormat& file, int64_t in);

}  // namespace lava::synth
