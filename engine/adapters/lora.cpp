#include "engine/adapters/lora.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "engine/io/json_file.h"
#include "engine/io/names.h"
#include "engine/io/safetensors.h"
#include "engine/layers/decoder.h"
#include "kernels/formats/formats.h"
#include "kernels/ops.h"

namespace lava {
namespace {

struct Pair {
  Matrix a, b;  // [r, in], [out, r] with the scale in it
};

class Lora final : public Adapter {
 public:
  Lora(std::string name, int layers) : name_(std::move(name)), pairs_(static_cast<size_t>(layers)) {}

  const std::string& name() const override { return name_; }
  bool covers(int layer, LinearRole role) const override { return !pair(layer, role).a.empty(); }
  void add_delta(Run& run, int layer, LinearRole role, const Tensor& x, const Tensor& out) const override {
    const auto scope = run.arena.scope();
    const Pair& weights = pair(layer, role);
    const Tensor inner = run.arena.f32({x.extent[0], weights.a.out});
    const LinearTarget down{weights.a, {}, inner}, up{weights.b, {}, out, Activation::none, true};
    ops::linear(run, {&down, 1}, x);
    ops::linear(run, {&up, 1}, inner);
  }
  Pair& pair(int layer, LinearRole role) { return pairs_[static_cast<size_t>(layer)][static_cast<size_t>(role)]; }

 private:
  const Pair& pair(int layer, LinearRole role) const { return pairs_[static_cast<size_t>(layer)][static_cast<size_t>(role)]; }

  std::string name_;
  std::vector<std::array<Pair, linear_roles>> pairs_;
};

struct Place {
  int layer = 0;
  LinearRole role = LinearRole::q;
  bool second = false;  // lora_B
};

// "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight" and its relatives with language_model or an adapter's name in it.
std::optional<Place> parse_name(std::string_view name) {
  constexpr std::string_view start = "base_model.model.";
  if (name.starts_with(start)) name.remove_prefix(start.size());
  const size_t layers = name.find("layers.");
  if (layers == std::string_view::npos) return std::nullopt;
  constexpr std::array<std::string_view, 5> prefixes = {"model.", "language_model.model.", "model.language_model.", "language_model.", ""};
  if (std::find(prefixes.begin(), prefixes.end(), name.substr(0, layers)) == prefixes.end()) return std::nullopt;
  name.remove_prefix(layers + 7);
  Place place;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), place.layer);
  if (error != std::errc() || place.layer < 0) return std::nullopt;
  name.remove_prefix(static_cast<size_t>(end - name.data()));
  for (int i = 0; i < linear_roles; ++i) {
    place.role = static_cast<LinearRole>(i);
    const std::string matrix = fmt::format(".{}.lora_", hf_linear_name(place.role));
    if (!name.starts_with(matrix)) continue;
    name.remove_prefix(matrix.size());
    place.second = name.starts_with("B.");
    if ((!place.second && !name.starts_with("A.")) || !name.ends_with("weight")) return std::nullopt;
    return place;
  }
  return std::nullopt;
}

tl::unexpected<Error> does_not_fit(const io::TensorSource& source, std::string cause) {
  return fail(Error::Kind::invalid, "The adapter does not fit this model", source.describe() + ": " + std::move(cause),
              "Use the model that the adapter was trained on");
}

std::vector<float> widen(const io::TensorEntry& entry) {
  std::vector<float> values(static_cast<size_t>(entry.elements()));
  dequantize_row(entry.dtype, entry.bytes.data(), values.data(), entry.elements());
  return values;
}

// Rows of a head from half-split order to the adjacent pairs that GGUF files of the llama family keep.
void interleave_heads(std::vector<float>& rows, int64_t row_width, int head_dim) {
  const std::vector<float> source = rows;
  const int64_t count = static_cast<int64_t>(rows.size()) / row_width, half = head_dim / 2;
  for (int64_t row = 0; row < count; ++row) {
    const int64_t head = row / head_dim, within = row % head_dim;
    const int64_t from = head * head_dim + (within % 2) * half + within / 2;
    std::copy_n(source.begin() + from * row_width, row_width, rows.begin() + row * row_width);
  }
}

class Loader {
 public:
  Loader(const io::TensorSource& source, const LoraSettings& settings, const TextConfig& config, const LayerWeights& weights)
      : source_(source), settings_(settings), config_(config), weights_(weights) {}

  Result<std::unique_ptr<Adapter>> load() {
    auto lora = std::make_unique<Lora>(settings_.name, config_.layers);
    for (const io::TensorEntry& entry : source_.tensors()) {
      const std::optional<Place> place = parse_name(entry.name);
      if (!place) return does_not_fit(source_, io::printable(entry.name) + " changes a part that cannot be adapted");
      if (place->layer >= config_.layers)
        return does_not_fit(source_, fmt::format("{} is beyond the model's {} layers", io::printable(entry.name), config_.layers));
      LAVA_CHECK_OK(add(entry, *place, lora->pair(place->layer, place->role)));
    }
    LAVA_CHECK_OK(check_complete(*lora));
    return lora;
  }

 private:
  Result<void> add(const io::TensorEntry& entry, const Place& place, Pair& pair) {
    const MatrixExtent extent = matrix_extent(config_, place.role);
    if (entry.shape.size() != 2) return does_not_fit(source_, io::printable(entry.name) + " is no matrix");
    const int64_t rank = entry.shape[place.second ? 1 : 0], other = entry.shape[place.second ? 0 : 1];
    if (rank < 1 || rank > 4096 || (settings_.rank > 0 && rank != settings_.rank))
      return does_not_fit(source_, fmt::format("{} has the rank {}, expected {}", io::printable(entry.name), rank, settings_.rank));
    if (other != (place.second ? extent.out : extent.in))
      return does_not_fit(source_, fmt::format("{} has {} values where the model has {}", io::printable(entry.name), other,
                                               place.second ? extent.out : extent.in));
    if (!is_weight_format(entry.dtype) || is_quantized(entry.dtype))
      return does_not_fit(source_, io::printable(entry.name) + " has a number format that is not supported");
    if (!(place.second ? pair.b : pair.a).empty()) return does_not_fit(source_, io::printable(entry.name) + " is there twice");
    std::vector<float> values = widen(entry);
    if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
      return does_not_fit(source_, io::printable(entry.name) + " holds numbers that are not finite");
    if (!place.second) {
      LAVA_TRY(pair.a, weights_.of(place.layer).matrix_from(values.data(), rank, extent.in));
      return {};
    }
    const double scale = settings_.alpha / (settings_.rank_root ? std::sqrt(static_cast<double>(rank)) : static_cast<double>(rank));
    for (float& value : values) value = static_cast<float>(value * scale);
    const bool rotated = place.role == LinearRole::q || place.role == LinearRole::k;
    if (rotated && config_.rope_style == RopeStyle::adjacent) interleave_heads(values, rank, config_.head_dim);
    LAVA_TRY(pair.b, weights_.of(place.layer).matrix_from(values.data(), extent.out, rank));
    return {};
  }

  Result<void> check_complete(Lora& lora) {
    int pairs = 0;
    for (int layer = 0; layer < config_.layers; ++layer) {
      for (int i = 0; i < linear_roles; ++i) {
        const Pair& pair = lora.pair(layer, static_cast<LinearRole>(i));
        if (pair.a.empty() != pair.b.empty() || (!pair.a.empty() && pair.a.out != pair.b.in))
          return does_not_fit(source_, fmt::format("the two matrices of layer {} {} do not belong together", layer,
                                                   hf_linear_name(static_cast<LinearRole>(i))));
        pairs += !pair.a.empty();
      }
    }
    return pairs > 0 ? Result<void>() : does_not_fit(source_, "it changes nothing");
  }

  const io::TensorSource& source_;
  const LoraSettings& settings_;
  const TextConfig& config_;
  const LayerWeights& weights_;
};

tl::unexpected<Error> unsupported(const std::filesystem::path& folder, const std::string& what) {
  return fail(Error::Kind::unsupported, "This adapter uses something that is not supported", folder.string() + ": " + what,
              "Supported is plain LoRA as PEFT saves it");
}

Result<void> refuse_extras(const std::filesystem::path& folder, const nlohmann::json& config) {
  LAVA_TRY(const std::string type, io::string_in(config, "peft_type", std::string("LORA")));
  if (type != "LORA") return unsupported(folder, "the method " + io::printable(type));
  LAVA_TRY(const std::string bias, io::string_in(config, "bias", std::string("none")));
  if (bias != "none") return unsupported(folder, "trained biases");
  for (const char* key : {"use_dora", "fan_in_fan_out", "lora_bias"}) {
    LAVA_TRY(const bool on, io::bool_in(config, key, false));
    if (on) return unsupported(folder, key);
  }
  for (const char* key : {"modules_to_save", "rank_pattern", "alpha_pattern", "target_parameters"}) {
    const nlohmann::json* value = io::member(config, key);
    if (value && !value->empty()) return unsupported(folder, key);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Adapter>> load_lora(const io::TensorSource& source, const LoraSettings& settings, const TextConfig& config,
                                           const LayerWeights& weights) {
  return Loader(source, settings, config, weights).load();
}

Result<std::unique_ptr<Adapter>> load_peft_folder(const std::filesystem::path& folder, const TextConfig& config, const LayerWeights& weights) {
  LAVA_TRY(const nlohmann::json json, io::read_json(folder / "adapter_config.json"));
  LAVA_CHECK_OK(refuse_extras(folder, json));
  const std::filesystem::path named = folder.has_filename() ? folder : folder.parent_path();
  LoraSettings settings{.name = named.filename().string()};
  LAVA_TRY(const int64_t rank, io::int_in(json, "r", 1, 4096));
  settings.rank = static_cast<int>(rank);
  LAVA_TRY(settings.alpha, io::real_in(json, "lora_alpha", -1e6, 1e6));
  LAVA_TRY(settings.rank_root, io::bool_in(json, "use_rslora", false));
  LAVA_TRY(const auto source, io::Safetensors::open(folder / "adapter_model.safetensors"));
  return load_lora(*source, settings, config, weights);
}

}  // namespace lava
