#include "engine/core/loaded_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <system_error>

#include "engine/adapters/lora.h"
#include "engine/core/layer_fit.h"
#include "engine/core/mmproj.h"
#include "engine/core/open_vision.h"
#include "engine/core/text_runner.h"
#include "engine/core/user_folders.h"
#include "engine/io/gguf.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"
#include "engine/io/safetensors.h"
#include "engine/text/gguf_vocabulary.h"

namespace lava {
namespace {

constexpr int default_context = 8192, least_context = 16;
constexpr size_t spare_share = 32;  // of what is planned for a device that is nearly full: drivers need memory, and pieces leave gaps

class DecoderEmbeddings final : public TextEmbeddings {
 public:
  DecoderEmbeddings(const Decoder& decoder, const Weights& weights, const text::Tokenizer& tokenizer)
      : decoder_(decoder), weights_(weights), tokenizer_(tokenizer) {}
  int width() const override { return decoder_.config().width; }
  Result<std::vector<float>> mean_embedding(std::string_view text) const override {
    LAVA_TRY(const std::vector<int32_t> ids, tokenizer_.encode(text));
    std::vector<float> mean(static_cast<size_t>(width())), row(mean.size());
    for (const int32_t id : ids) {
      if (id < 0 || id >= decoder_.embedding().out)
        return fail(Error::Kind::invalid, "The vocabulary is larger than the model", fmt::format("token {}", id));
      weights_.read_row(decoder_.embedding(), id, row.data());
      for (size_t i = 0; i < row.size(); ++i) mean[i] += row[i] / static_cast<float>(ids.size());
    }
    return mean;
  }

 private:
  const Decoder& decoder_;
  const Weights& weights_;
  const text::Tokenizer& tokenizer_;
};

// Loads one part after another into `model`.
class Loader {
 public:
  Loader(Devices devices, const AssistantOptions& options, const LoadProgress& progress, LayerPlan& plan)
      : devices_(devices), options_(options), progress_(progress), plan_(plan), packs_(weight_pack_folder(), options.packs) {}

  Result<LoadedModel> load() {
    tell(0, "Opening the model's files");
    LAVA_TRY(model_.files, find_model_files(options_));
    model_.exact = options_.exact || model_.files.exact;
    LAVA_CHECK_OK(model_.files.gguf ? open_gguf() : open_folder());
    LAVA_CHECK_OK(load_vision());
    LAVA_CHECK_OK(load_decoder());
    LAVA_CHECK_OK(load_object_vision());
    tell(0.9, "Loading adapters");
    LAVA_CHECK_OK(load_adapters());
    LAVA_CHECK_OK(choose_chat());
    LAVA_CHECK_OK(collect_ids());
    return std::move(model_);
  }

 private:
  void tell(double share, const char* phrase) const {
    if (progress_) progress_(share, phrase);
  }
  Precision precision() const { return model_.exact ? Precision::exact : Precision::fast; }
  Result<void> open_gguf();
  Result<void> open_folder();
  Result<size_t> bytes_of_layers(int count, int chunk, int context) const;
  Result<int> fitting_layers(int context, int most) const;
  Result<void> load_decoder();
  VisionOptions options_of_vision(const TextEmbeddings* embeddings) const;
  Result<void> load_vision();
  Result<void> load_object_vision();
  Result<void> load_adapters();
  Result<void> add_adapter(Result<std::unique_ptr<Adapter>> loaded, bool when_picture);
  Result<void> choose_chat();
  Result<void> collect_ids();

  Devices devices_;
  const AssistantOptions& options_;
  const LoadProgress& progress_;
  LayerPlan& plan_;
  LoadedModel model_;
  WeightPackStore packs_;
  TextConfig config_;
  std::span<const io::MappedFile> weight_files_;  // of a GGUF model; others hold nothing that is packed
  nlohmann::json json_;    // config.json of a folder
  std::string base_name_;  // general.name or folder
};

Result<void> Loader::open_gguf() {
  LAVA_TRY(auto file, io::Gguf::open(model_.files.text));
  weight_files_ = file->files();
  if (file->architecture() == "clip")
    return fail(Error::Kind::invalid, "This file is the projector of a model, not the model", model_.files.text.string(),
                "Open the language model beside it; the projector is found by itself");
  LAVA_TRY(config_, read_gguf_text_config(*file));
  LAVA_TRY(const text::GgufVocabulary vocabulary, text::vocabulary_of(*file));
  LAVA_TRY(model_.tokenizer, text::from_gguf(vocabulary));
  base_name_ = std::string(file->string("general.name").value_or("")) + " " + model_.files.text.stem().string();
  model_.architecture = config_.family;
  model_.source = std::move(file);
  return {};
}

Result<void> Loader::open_folder() {
  LAVA_TRY(json_, io::read_json(model_.files.text / "config.json"));
  LAVA_TRY(config_, read_hf_text_config(json_));
  LAVA_TRY(model_.source, io::Safetensors::open(model_.files.text));
  LAVA_TRY(model_.tokenizer, text::from_folder(model_.files.text));
  base_name_ = model_.files.name;
  model_.architecture = config_.family;
  return {};
}

std::string formats_of(const io::TensorSource& source) {
  std::map<DType, size_t> bytes;
  for (const io::TensorEntry& entry : source.tensors()) bytes[entry.dtype] += entry.bytes.size();
  const auto most = std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? "" : std::string(dtype_info(most->first).name);
}

// What adapters take at most: their values have 16 bits in the file or 32, and 32 in memory.
size_t adapter_bytes(const ModelFiles& files, const AssistantOptions& options) {
  std::vector<std::filesystem::path> paths(options.adapters.begin(), options.adapters.end());
  for (const ManifestAdapter& one : files.adapters) paths.push_back(one.path);
  size_t bytes = 0;
  for (const std::filesystem::path& path : paths) {
    std::error_code error;
    const auto size = std::filesystem::file_size(std::filesystem::is_directory(path, error) ? path / "adapter_model.safetensors" : path, error);
    if (!error) bytes += 2 * static_cast<size_t>(size);
  }
  return bytes;
}

// What the last `count` layers take on the main device, and what goes with them; prompts are read in chunks of so many rows.
Result<size_t> Loader::bytes_of_layers(int count, int chunk, int context) const {
  const auto device = make_plan_device();
  Weights weights = Weights::plan(*device);
  LAVA_TRY(const auto decoder, Decoder::load(weights, *model_.source, config_, {context, precision(), config_.layers - count}));
  LAVA_TRY(size_t work, TextStage::prefill_bytes(*decoder, {}, std::min(chunk, context)));
  if (model_.vision) {
    LAVA_TRY(const size_t arena, model_.vision->arena_bytes());
    work = std::max(work, arena);
  }
  LAVA_TRY(const size_t step, TextStage::step_bytes(*decoder, {}));
  KvShape cache = decoder->kv_shape(DType::f16), whole = cache;
  whole.layers = config_.layers;  // the size of all decides on the format
  cache.dtype = kv_format(options_.kv, whole, model_.exact);
  return weights.allocated() + work + step + cache.bytes() + adapter_bytes(model_.files, options_);
}

// How many of the last layers find room on the main device, beside the vision part that is there already; at most `most`.
Result<int> Loader::fitting_layers(int context, int most) const {
  LAVA_TRY(const size_t least, bytes_of_layers(config_.layers, RunnerOptions::least_chunk, context));
  // Where not all fit, prompts are not read in smaller pieces for the sake of a layer more.
  const auto need = [&](int count) -> Result<size_t> {
    LAVA_TRY(const size_t bytes, bytes_of_layers(count, RunnerOptions::usual_chunk, context));
    return bytes + bytes / spare_share;
  };
  const int fewer = std::min(most, config_.layers - 1);
  LAVA_TRY(const size_t comfortable, fewer > 0 ? need(fewer) : Result<size_t>(0));
  const size_t room = free_bytes(devices_.main, std::max(least, comfortable));
  if (most == config_.layers && room >= least) return most;
  return largest_that_fits(fewer, room, need);
}

Result<void> Loader::load_decoder() {
  int context = options_.context > 0 ? options_.context : std::min(config_.context, default_context);
  if (context > config_.context)
    return fail(Error::Kind::invalid, "The context is longer than the model can use",
                fmt::format("{} asked for, made for {}", context, config_.context), fmt::format("Ask for at most {}", config_.context));
  context = std::max(context, std::min(least_context, config_.context));
  tell(0.05, "Loading the language model");
  const bool one_device = &devices_.main == &devices_.cpu;
  plan_.chosen = one_device || plan_.most < 0 ? config_.layers : std::min(plan_.most, config_.layers);
  if (!one_device && plan_.fit && plan_.chosen > 0) {
    LAVA_TRY(plan_.chosen, fitting_layers(context, plan_.chosen));
  }
  const auto share = [&](double done) { tell(0.05 + 0.65 * done, "Loading the language model"); };
  const auto prepare = [&](Weights& weights) { weights.add_source(*model_.source, weight_files_, packs_.find(weight_files_)); };
  LAVA_TRY(model_.text, load_split(devices_, *model_.source, config_, {context, precision(), plan_.chosen, prepare}, share));
  model_.weight_formats = formats_of(*model_.source);
  return {};
}

VisionOptions Loader::options_of_vision(const TextEmbeddings* embeddings) const {
  VisionOptions vision = vision_options(config_.width, model_.exact ? VisionPrecision::exact : options_.vision, embeddings);
  vision.packs = &packs_;
  return vision;
}

// Before the language model, which gets the room that is left.
Result<void> Loader::load_vision() {
  ModelFiles& files = model_.files;
  if (!options_.mmproj.empty() && (!files.gguf || !files.vision.is_null()))
    return fail(Error::Kind::invalid, "A projector file belongs to a GGUF model", files.name + " brings its own vision part",
                "Leave out --mmproj");
  if (!files.vision.is_null()) return {};
  tell(0.01, "Loading the vision part");
  const VisionOptions vision = options_of_vision(nullptr);
  if (!files.gguf) {
    if (!has_vision(json_)) return {};
    LAVA_TRY(model_.vision, open_vision_folder(devices_.main, files.text, vision));
    return {};
  }
  if (!options_.mmproj.empty()) {
    files.mmproj = options_.mmproj;
    LAVA_CHECK_OK(check_mmproj(files.mmproj, config_.width));
  } else if (files.folder.empty()) {
    MmprojChoice choice = find_mmproj(files.text, config_.width);
    files.mmproj = std::move(choice.file);
    files.mmproj_note = std::move(choice.note);
  }
  if (files.mmproj.empty()) return {};
  LAVA_TRY(model_.vision, open_vision_gguf(devices_.main, files.mmproj, vision));
  return {};
}

// Its connector speaks the language model's words; its detector and connector compute on the host between ops.
Result<void> Loader::load_object_vision() {
  if (model_.files.vision.is_null()) return {};
  tell(0.7, "Loading the vision part");
  const DecoderEmbeddings embeddings(*model_.text.decoder, *model_.text.weights, *model_.tokenizer);
  LAVA_TRY(model_.vision, open_vision_manifest(devices_.cpu, model_.files.folder, model_.files.vision, options_of_vision(&embeddings)));
  return {};
}

Result<void> Loader::add_adapter(Result<std::unique_ptr<Adapter>> loaded, bool when_picture) {
  LAVA_TRY(std::unique_ptr<Adapter> adapter, std::move(loaded));
  for (const LoadedAdapter& other : model_.adapters)
    if (other.adapter->name() == adapter->name())
      return fail(Error::Kind::invalid, "Two adapters have the same name", adapter->name(), "Rename one of the folders");
  model_.adapters.push_back({std::move(adapter), when_picture});
  return {};
}

Result<void> Loader::load_adapters() {
  const TextConfig& config = model_.text.decoder->config();
  const LayerWeights weights = model_.text.layer_weights();
  for (const ManifestAdapter& one : model_.files.adapters) {
    if (std::filesystem::is_directory(one.path)) {
      LAVA_CHECK_OK(add_adapter(load_peft_folder(one.path, config, weights), one.when_picture));
      continue;
    }
    LAVA_TRY(const auto source, io::Safetensors::open(one.path));
    LAVA_CHECK_OK(add_adapter(load_lora(*source, {.name = one.name, .rank = one.rank, .alpha = one.alpha}, config, weights),
                              one.when_picture));
  }
  for (const std::string& folder : options_.adapters) LAVA_CHECK_OK(add_adapter(load_peft_folder(folder, config, weights), false));
  return {};
}

Result<void> Loader::choose_chat() {
  if (!model_.files.chat.empty()) {
    model_.chat = text::find_chat_format(model_.files.chat);
    if (!model_.chat)
      return fail(Error::Kind::invalid, "The model's way of writing conversations is not known", io::printable(model_.files.chat));
    return {};
  }
  const text::ChatHints hints{model_.tokenizer->chat_template(), base_name_, model_.architecture, model_.vision.has_value()};
  const auto found = text::detect_chat_format(hints);
  if (found) {
    model_.chat = *found;
  } else {
    model_.chat_error = found.error().message();
  }
  return {};
}

// End-of-sequence ids that a folder's files list.
void add_listed(const nlohmann::json& object, std::vector<int32_t>& ids) {
  const nlohmann::json* value = io::member(object, "eos_token_id");
  if (!value) return;
  for (const nlohmann::json& id : value->is_array() ? *value : nlohmann::json::array({*value}))
    if (id.is_number_integer() && id.get<int64_t>() >= 0 && id.get<int64_t>() < (1 << 30)) ids.push_back(id.get<int32_t>());
}

Result<void> Loader::collect_ids() {
  const text::Tokenizer& tokenizer = *model_.tokenizer;
  std::vector<int32_t>& ends = model_.end_ids;
  ends = tokenizer.special().end_of_generation;
  const std::filesystem::path generation = model_.files.text / "generation_config.json";
  if (!model_.files.gguf) add_listed(json_, ends);
  if (!model_.files.gguf && std::filesystem::is_regular_file(generation)) {
    LAVA_TRY(const nlohmann::json json, io::read_json(generation));
    add_listed(json, ends);
  }
  if (model_.chat)
    for (const std::string_view token : model_.chat->stop_tokens)
      if (const auto id = tokenizer.id_of(token)) ends.push_back(*id);
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());

  for (const char* key : {"image_token_index", "image_token_id"}) {
    LAVA_TRY(const int64_t id, io::int_in(json_, key, -1 << 20, 1 << 30, -1));
    if (id >= 0) model_.image_id = static_cast<int32_t>(id);
  }
  if (model_.image_id < 0) model_.image_id = tokenizer.id_of(text::image_marker).value_or(-1);
  const int vocabulary = model_.text.decoder->config().vocabulary;
  model_.masked.resize(static_cast<size_t>(vocabulary));
  for (int32_t id = 0; id < vocabulary; ++id) {
    const bool unused = id >= tokenizer.size() || tokenizer.table().kind(id) == text::TokenKind::unused;
    const bool padding = id == tokenizer.special().pad || id == model_.image_id;
    model_.masked[static_cast<size_t>(id)] = (unused || padding) && !std::binary_search(ends.begin(), ends.end(), id);
  }
  return {};
}

}  // namespace

std::vector<const Adapter*> LoadedModel::all_adapters() const {
  std::vector<const Adapter*> all;
  for (const LoadedAdapter& one : adapters) all.push_back(one.adapter.get());
  return all;
}

std::vector<const PackedSource*> LoadedModel::packed_sources() const {
  std::vector<const PackedSource*> all;
  for (const Weights* one : {text.weights.get(), text.upper_weights.get(), vision ? vision->weights.get() : nullptr})
    for (size_t i = 0; one && i < one->packed_sources().size(); ++i) all.push_back(&one->packed_sources()[i]);
  return all;
}

std::string LoadedModel::grounding() const {
  if (!files.grounding.empty()) return files.grounding;
  return vision ? "boxes" : "none";
}

std::unique_ptr<WeightPackKeeper> keep_packs(const LoadedModel& model, const AssistantOptions& options) {
  WeightPackStore store(weight_pack_folder(), options.packs);
  if (!store.is_on()) return nullptr;
  try {
    return std::make_unique<WeightPackKeeper>(std::move(store), model.packed_sources(), options.on_notice);
  } catch (const std::system_error&) {  // no thread to be had; answers need none
    return nullptr;
  }
}

LayerPlan layer_plan(const AssistantOptions& options) { return {.most = options.gpu_layers, .fit = options.gpu_layers < 0}; }

Result<LoadedModel> load_model(Devices devices, const AssistantOptions& options, const LoadProgress& progress, LayerPlan& plan) {
  plan.chosen = -1;
  return Loader(devices, options, progress, plan).load();
}

Result<LoadedModel> load_model(Devices devices, const AssistantOptions& options, const LoadProgress& progress) {
  LayerPlan plan = layer_plan(options);
  return load_model(devices, options, progress, plan);
}

}  // namespace lava
