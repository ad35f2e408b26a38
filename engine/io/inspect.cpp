#include "engine/io/inspect.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "engine/io/checked.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"
#include "engine/io/safetensors.h"

namespace lava::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t most = int64_t{1} << 32;  // a sane ceiling for every size that is shown

// What a decoder looks like; a number that the files do not say is 0.
struct Shape {
  int64_t layers = 0, width = 0, heads = 0, kv_heads = 0, head = 0, feed_forward = 0, vocabulary = 0, context = 0;
  int64_t kv_heads_of_all_layers = 0;
};

std::string_view part_of(std::string_view name) {
  const auto has = [&](std::string_view word) { return name.find(word) != std::string_view::npos; };
  if (has("lora_A") || has("lora_B")) return "adapter";
  if (has("projector") || has("image_newline") || name.starts_with("mm.") || name.starts_with("resampler.")) return "projector";
  if (has("vision_tower") || has("vision_model") || name.starts_with("v.")) return "vision tower";
  return "language model";
}

void count(Facts& place, uint64_t parameters, uint64_t bytes) {
  if (place.is_null()) place = {{"tensors", 0u}, {"parameters", 0u}, {"bytes", 0u}};
  place["tensors"] = place["tensors"].get<uint64_t>() + 1;
  place["parameters"] = place["parameters"].get<uint64_t>() + parameters;
  place["bytes"] = place["bytes"].get<uint64_t>() + bytes;
}

void describe_weights(const TensorSource& source, Facts& facts) {
  uint64_t parameters = 0, bytes = 0;
  Facts formats = Facts::object(), parts = Facts::object();
  for (const TensorEntry& tensor : source.tensors()) {
    const auto elements = static_cast<uint64_t>(tensor.elements());
    count(formats[std::string(dtype_info(tensor.dtype).name)], elements, tensor.bytes.size());
    count(parts[std::string(part_of(tensor.name))], elements, tensor.bytes.size());
    parameters += elements, bytes += tensor.bytes.size();
  }
  facts["parameters"] = parameters;
  facts["tensors"] = source.tensors().size();
  facts["formats"] = std::move(formats);
  facts["parts"] = std::move(parts);
  facts["memory"]["weight_bytes"] = bytes;
}

void describe_files(std::span<const MappedFile> files, Facts& facts) {
  uint64_t bytes = 0;
  for (const MappedFile& file : files) bytes += file.size();
  facts["files"] = files.size();
  facts["file_bytes"] = bytes;
}

// Shape and the memory of keys and values in 16-bit numbers.
void describe_shape(const Shape& shape, int64_t context, Facts& facts) {
  const std::pair<const char*, int64_t> entries[] = {
      {"layers", shape.layers},         {"width", shape.width},    {"heads", shape.heads},
      {"kv_heads", shape.kv_heads},     {"head", shape.head},      {"feed_forward", shape.feed_forward},
      {"vocabulary", shape.vocabulary}, {"context", shape.context}};
  for (const auto& [name, value] : entries)
    if (value > 0) facts["shape"][name] = value;
  const int64_t rows = context > 0 ? context : shape.context;
  std::optional<uint64_t> bytes = 4;  // a key and a value of 2 bytes each
  for (const int64_t factor : {shape.kv_heads_of_all_layers, shape.head, rows})
    bytes = bytes ? checked_mul(*bytes, static_cast<uint64_t>(factor)) : bytes;
  Facts& memory = facts["memory"];
  if (!bytes || *bytes == 0 || memory["weight_bytes"] == 0) return;
  memory["context"] = rows;
  memory["kv_bytes"] = *bytes;
  if (const auto total = checked_add(*bytes, memory["weight_bytes"].get<uint64_t>())) memory["total_bytes"] = *total;
}

int64_t setting(const Gguf& model, std::string_view key) {
  const auto value = model.integer(key).value_or(0);
  return value > 0 && value < most ? value : 0;
}

Shape shape_of(const Gguf& model) {
  const std::string arch = model.architecture();
  const auto of = [&](std::string_view key) { return setting(model, fmt::format("{}.{}", arch, key)); };
  Shape shape;
  shape.layers = of("block_count"), shape.width = of("embedding_length"), shape.feed_forward = of("feed_forward_length");
  shape.heads = of("attention.head_count"), shape.kv_heads = of("attention.head_count_kv"), shape.context = of("context_length");
  shape.head = of("attention.key_length");
  shape.vocabulary = static_cast<int64_t>(model.array_size("tokenizer.ggml.tokens"));
  if (shape.head == 0 && shape.heads > 0) shape.head = shape.width / shape.heads;
  const auto per_layer = model.int_array(fmt::format("{}.attention.head_count_kv", arch));
  if (shape.kv_heads == 0 && !per_layer) shape.kv_heads = shape.heads;
  shape.kv_heads_of_all_layers = checked_mul(static_cast<uint64_t>(shape.kv_heads), static_cast<uint64_t>(shape.layers)).value_or(0);
  if (per_layer)
    for (const int64_t heads : *per_layer) shape.kv_heads_of_all_layers += heads > 0 && heads < 65'536 ? heads : 0;
  return shape;
}

Shape vision_shape_of(const Gguf& model) {
  Shape shape;
  shape.layers = setting(model, "clip.vision.block_count"), shape.width = setting(model, "clip.vision.embedding_length");
  shape.heads = setting(model, "clip.vision.attention.head_count"), shape.feed_forward = setting(model, "clip.vision.feed_forward_length");
  return shape;
}

Result<Facts> inspect_gguf(const fs::path& path, int64_t context) {
  LAVA_TRY(const auto model, Gguf::open(path));
  const bool projector = model->architecture() == "clip";
  Facts facts;
  facts["kind"] = projector                  ? "projector file of a vision-language model"
                  : model->tensors().empty() ? "vocabulary without weights"
                                             : "language model";
  facts["container"] = fmt::format("GGUF version {}", model->version());
  if (!model->architecture().empty()) facts["architecture"] = model->architecture();
  if (const auto name = model->string("general.name")) facts["name"] = std::string(*name);
  describe_files(model->files(), facts);
  describe_weights(*model, facts);
  if (projector) {
    describe_shape(vision_shape_of(*model), 0, facts);
    for (const char* key : {"image_size", "patch_size"})
      if (const int64_t value = setting(*model, fmt::format("clip.vision.{}", key))) facts["shape"][key] = value;
  } else {
    describe_shape(shape_of(*model), context, facts);
  }
  facts["metadata"] = abbreviated(*model);
  return facts;
}

int64_t number_or(const json& object, const char* key, int64_t fallback = 0) { return int_in(object, key, 0, most, fallback).value_or(0); }

Shape shape_of(const json& config) {
  const json* nested = member(config, "text_config");
  const json& text = nested && nested->is_object() ? *nested : config;
  Shape shape;
  shape.layers = number_or(text, "num_hidden_layers"), shape.width = number_or(text, "hidden_size"),
  shape.heads = number_or(text, "num_attention_heads");
  shape.kv_heads = number_or(text, "num_key_value_heads", shape.heads);
  shape.head = number_or(text, "head_dim", shape.heads > 0 ? shape.width / shape.heads : 0);
  shape.feed_forward = number_or(text, "intermediate_size"), shape.vocabulary = number_or(text, "vocab_size");
  shape.context = number_or(text, "max_position_embeddings");
  shape.kv_heads_of_all_layers = checked_mul(static_cast<uint64_t>(shape.kv_heads), static_cast<uint64_t>(shape.layers)).value_or(0);
  return shape;
}

void describe_adapter(const json& config, Facts& facts) {
  facts["kind"] = "LoRA adapter";
  Facts& adapter = facts["adapter"];
  adapter["rank"] = number_or(config, "r");
  adapter["alpha"] = real_in(config, "lora_alpha", 0, 1e6, 0.0).value_or(0.0);
  adapter["base"] = string_in(config, "base_model_name_or_path", "").value_or("");
  if (const json* targets = member(config, "target_modules"); targets && targets->size() <= 100) adapter["targets"] = *targets;
}

Result<Facts> inspect_safetensors(const fs::path& path, int64_t context) {
  LAVA_TRY(const auto model, Safetensors::open(path));
  Facts facts;
  facts["kind"] = "weights without a configuration";
  facts["container"] = "safetensors";
  describe_files(model->files(), facts);
  describe_weights(*model, facts);
  for (const auto& tensor : model->unread()) count(facts["unread"][tensor.dtype], 0, tensor.bytes);
  for (const auto& [key, value] : model->metadata()) facts["metadata"][key] = value;
  std::error_code ignored;
  if (facts["parts"].size() == 1 && facts["parts"].contains("adapter")) facts["kind"] = "LoRA adapter without a configuration";
  if (!fs::is_directory(path, ignored)) return facts;
  if (fs::exists(path / "adapter_config.json", ignored)) {
    LAVA_TRY(const json adapter, read_json(path / "adapter_config.json"));
    describe_adapter(adapter, facts);
  } else if (fs::exists(path / "config.json", ignored)) {
    LAVA_TRY(const json config, read_json(path / "config.json"));
    const bool sees = member(config, "vision_config") || member(config, "mm_vision_tower");
    facts["kind"] = sees ? "vision-language model" : "language model";
    facts["architecture"] = string_in(config, "model_type", "").value_or("");
    describe_shape(shape_of(config), context, facts);
  }
  return facts;
}

Facts element(const Gguf& model, const std::string& key, const GgufValue& value) {
  constexpr size_t shown = 4;
  Facts first = Facts::array();
  if (const auto texts = model.string_array(key))
    for (size_t i = 0; i < std::min(shown, texts->size()); ++i) first.push_back(std::string((*texts)[i]));
  else if (const auto integers = model.int_array(key))
    for (size_t i = 0; i < std::min(shown, integers->size()); ++i) first.push_back((*integers)[i]);
  else if (const auto reals = model.float_array(key))
    for (size_t i = 0; i < std::min(shown, reals->size()); ++i) first.push_back((*reals)[i]);
  return {{"elements", value.count}, {"type", gguf_type_name(value.element)}, {"first", first}};
}

}  // namespace

Facts abbreviated(const Gguf& model) {
  Facts out = Facts::object();
  for (const auto& [key, value] : model.values()) {
    Facts& place = out[printable(key)];
    if (value.type == GgufType::array)
      place = element(model, key, value);
    else if (const auto text = model.string(key))
      place = std::string(text->substr(0, 4000));
    else if (const auto flag = model.boolean(key))
      place = *flag;
    else if (const auto integer = model.integer(key))
      place = *integer;
    else
      place = model.real(key).value_or(0);
  }
  return out;
}

Result<Facts> inspect_model(const fs::path& path, int64_t context) {
  try {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored) && !path.filename().string().ends_with(".json")) {
      LAVA_TRY(const MappedFile file, MappedFile::open(path));
      constexpr std::array<std::byte, 4> mark = {std::byte{'G'}, std::byte{'G'}, std::byte{'U'}, std::byte{'F'}};
      if (file.size() >= mark.size() && std::equal(mark.begin(), mark.end(), file.bytes().begin())) return inspect_gguf(path, context);
    }
    return inspect_safetensors(path, context);
  } catch (const std::exception& error) {
    return fail(Error::Kind::internal, "The model cannot be described", printable(error.what()));
  }
}

}  // namespace lava::io
