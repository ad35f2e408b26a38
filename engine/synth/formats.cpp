#include "engine/synth/formats.h"

#include <algorithm>

#include "engine/io/names.h"

namespace lava::synth {
namespace {

// Rows that are no multiple of a format's block take a wider one that fits.
DType fitting(DType format, int64_t in) {
  if (in % 256 != 0) {
    if (format == DType::q4_k) format = DType::q5_0;
    if (format == DType::q5_k) format = DType::q5_1;
    if (format == DType::q6_k) format = DType::q8_0;
  }
  return in % dtype_info(format).block == 0 ? format : DType::f16;
}

// The layers of "M" files whose attn_v and ffn_down are finer.
bool finer_layer(int layer, int layers) { return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2; }

DType layer_format(const FileFormat& file, TensorRole role, int layer, int layers) {
  if (role != TensorRole::value && role != TensorRole::down) return file.base;
  if (file.mixture == Mixture::medium && finer_layer(layer, layers)) return DType::q6_k;
  const int first = role == TensorRole::value ? 4 : layers / 8;
  if (file.mixture == Mixture::small && file.base == DType::q4_k && layer < first) return DType::q5_k;
  return file.base;
}

}  // namespace

const std::vector<FileFormat>& file_formats() {
  static const std::vector<FileFormat> all = {
      {"f32", DType::f32, 0},   {"f16", DType::f16, 1},   {"bf16", DType::bf16, 32}, {"q4_0", DType::q4_0, 2},
      {"q4_1", DType::q4_1, 3}, {"q5_0", DType::q5_0, 8}, {"q5_1", DType::q5_1, 9},  {"q8_0", DType::q8_0, 7},
      {"q4_k", DType::q4_k, 15, Mixture::medium}, {"q4_k_s", DType::q4_k, 14, Mixture::small},
      {"q5_k", DType::q5_k, 17, Mixture::medium}, {"q6_k", DType::q6_k, 18},
  };
  return all;
}

Result<FileFormat> find_format(std::string_view name) {
  const auto found = std::find_if(file_formats().begin(), file_formats().end(), [&](const FileFormat& f) { return f.name == name; });
  if (found != file_formats().end()) return *found;
  std::string known;
  for (const FileFormat& format : file_formats()) (known += known.empty() ? "" : ", ") += format.name;
  return fail(Error::Kind::invalid, "There is no number format of the name " + io::printable(name), {}, "Choose one of: " + known);
}

DType text_format(const FileFormat& file, TensorRole role, int layer, int layers, int64_t in) {
  // Of low formats the output matrix, and the table of embeddings where it is the same, stay fine.
  const bool low = is_quantized(file.base) && file.base != DType::q8_0;
  if (role == TensorRole::output) return fitting(low ? DType::q6_k : file.base, in);
  return fitting(layer_format(file, role, layer, layers), in);
}

DType vision_format(const FileFormat& file, int64_t in) { return fitting(file.base, in); }

}  // namespace lava::synth
