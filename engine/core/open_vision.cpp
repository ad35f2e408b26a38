#include "engine/core/open_vision.h"

#include <fmt/format.h>

#include "engine/connectors/mlp.h"
#include "engine/encoders/vit.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"
#include "engine/io/safetensors.h"
#include "engine/partition/partition_config.h"

namespace lava {
namespace {

// The pieces that every LLaVA-like model is put together from.
struct Parts {
  const io::TensorSource* tower = nullptr;
  const io::TensorSource* projector = nullptr;
  std::span<const io::MappedFile> files;  // of a projector file, which holds both; others hold nothing that is packed
  VitNames names;
  VitConfig config;
  MlpLayout layout;
  PartitionConfig partition;
};

Result<void> check_views(const Parts& parts) {
  if (parts.partition.side != parts.config.image)
    return fail(Error::Kind::invalid, "The processor settings do not fit the vision tower",
                fmt::format("views have {} pixels, the tower reads {}", parts.partition.side, parts.config.image),
                "Download all files of the model again");
  const int grid = parts.config.grid();
  if (parts.partition.pack != PackMode::flat && parts.config.kept_rows() != grid * grid)
    return fail(Error::Kind::unsupported, "Tiles of this model cannot be joined to a map",
                fmt::format("the tower keeps {} rows of a {} x {} grid", parts.config.kept_rows(), grid, grid));
  return {};
}

Result<VisionPart> assemble(Device& device, Parts& parts, const VisionOptions& options, std::string origin) {
  VisionPart part;
  if (parts.partition.side == 0) parts.partition.side = parts.config.image;
  LAVA_CHECK_OK(check_views(parts));
  LAVA_TRY(part.partitioner, make_partitioner(parts.partition));
  part.weights = std::make_unique<Weights>(device);
  if (options.quantize) part.weights->quantize_to(DType::q8_0);
  if (!parts.files.empty()) part.weights->add_source(*parts.tower, parts.files, options.packs ? options.packs->find(parts.files) : std::nullopt);
  LAVA_TRY(std::unique_ptr<Vit> tower, Vit::load(*part.weights, *parts.tower, parts.names, parts.config, parts.partition.mean, parts.partition.std,
                                                 options.precision));
  const EncoderInfo info = tower->info();
  const PackSettings pack{parts.partition.pack, {info.grid_w, info.grid_h}, parts.partition.max_tiles};
  LAVA_TRY(std::unique_ptr<Mlp> mlp, Mlp::load(*part.weights, *parts.projector, parts.layout, info.width, options.text_width, pack, options.precision));
  part.name = fmt::format("{} {} x {}, {} px, {}", parts.config.kind, parts.config.last_output(), parts.config.width, parts.config.image, mlp->name());
  part.cache_id = fmt::format("{}|{}|{}", part.name, part.partitioner->name(), origin);
  part.encoder = std::move(tower);
  part.connector = std::move(mlp);
  part.largest = parts.partition.resolutions;
  part.largest.push_back({info.image_size, info.image_size});
  return part;
}

// "openai/clip-vit-large-patch14-336" -> a folder of that last name inside the model's folder or beside it.
std::filesystem::path tower_folder(const std::filesystem::path& model, const std::string& tower) {
  const std::string last = tower.substr(tower.find_last_of("/\\") + 1);
  if (!io::is_plain_file_name(last)) return {};
  std::error_code ignored;
  for (const std::filesystem::path& place : {model / last, std::filesystem::absolute(model, ignored).parent_path() / last})
    if (std::filesystem::is_directory(place, ignored)) return place;
  return {};
}

tl::unexpected<Error> tower_missing(const std::filesystem::path& folder, const std::string& tower) {
  return fail(Error::Kind::not_found, "The model's vision tower is missing",
              fmt::format("{} does not contain it and names {}", io::printable(folder.filename().string()), io::printable(tower)),
              fmt::format("Download {} into a folder of the name {} beside the model", io::printable(tower),
                          io::printable(tower.substr(tower.find_last_of('/') + 1))));
}

// A CLIP or SigLIP folder describes its tower; which of its hidden states are read, the model says.
Result<VitConfig> described_tower(const std::filesystem::path& place, const nlohmann::json& config) {
  LAVA_TRY(const nlohmann::json tower, io::read_json(place / "config.json"));
  LAVA_TRY(const std::string feature, io::string_in(config, "mm_vision_select_feature", "patch"));
  nlohmann::json model = {{"vision_feature_select_strategy", feature == "patch" ? "default" : "full"}};
  if (const nlohmann::json* vision = io::member(tower, "vision_config")) model["vision_config"] = *vision;
  if (const nlohmann::json* layer = io::member(config, "mm_vision_select_layer")) model["vision_feature_layer"] = *layer;
  return vit_from_hugging_face(model);
}

// The original layout: the tower is named, and stands in the model's files or in a folder of its own.
Result<void> find_original_tower(const std::filesystem::path& folder, const nlohmann::json& config, VisionPart& part, Parts& parts) {
  LAVA_TRY(const std::string tower, io::string_in(config, "mm_vision_tower"));
  parts.tower = part.sources.front().get();
  if (auto names = VitNames::find_hugging_face(*parts.tower)) {
    parts.names = std::move(*names);
    LAVA_TRY(parts.config, vit_from_name(config, tower));
    return {};
  }
  const std::filesystem::path place = tower_folder(folder, tower);
  if (place.empty()) return tower_missing(folder, tower);
  LAVA_TRY(std::unique_ptr<io::Safetensors> source, io::Safetensors::open(place));
  auto names = VitNames::find_hugging_face(*source);
  if (!names) return tower_missing(folder, tower);
  std::error_code ignored;
  if (std::filesystem::exists(place / "config.json", ignored)) {
    LAVA_TRY(parts.config, described_tower(place, config));
  } else {
    LAVA_TRY(parts.config, vit_from_name(config, tower));
  }
  parts.names = std::move(*names);
  parts.tower = source.get();
  part.sources.push_back(std::move(source));
  return {};
}

Result<void> find_tower(const std::filesystem::path& folder, const nlohmann::json& config, VisionPart& part, Parts& parts) {
  if (!io::member(config, "vision_config") && io::member(config, "mm_vision_tower")) return find_original_tower(folder, config, part, parts);
  parts.tower = part.sources.front().get();
  LAVA_TRY(parts.config, vit_from_hugging_face(config));
  auto names = VitNames::find_hugging_face(*parts.tower);
  if (!names)
    return fail(Error::Kind::invalid, "The model's vision tower is missing", parts.tower->describe() + " has no vision_tower tensors",
                "Check that the download is complete");
  parts.names = std::move(*names);
  return {};
}

Result<Activation> projector_activation(const nlohmann::json& config) {
  LAVA_TRY(const std::string name, io::string_in(config, "projector_hidden_act", "gelu"));
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new") return Activation::gelu_tanh;
  if (name == "quick_gelu") return Activation::gelu_quick;
  if (name == "silu") return Activation::silu;
  if (name == "relu") return Activation::relu;
  return fail(Error::Kind::unsupported, "The projector uses an activation that is not supported", io::printable(name));
}

bool is_mlp(std::string_view type) { return type.empty() || type == "linear" || (type.starts_with("mlp") && type.ends_with("x_gelu")); }

Result<MlpLayout> find_projector(const nlohmann::json& config, const io::TensorSource& source) {
  const Result<std::string> type = io::string_in(config, "mm_projector_type", "");
  if (!type) return tl::unexpected(type.error());
  if (*type == "identity") return MlpLayout{};
  if (!is_mlp(*type))
    return fail(Error::Kind::unsupported, "The projector of this model is of a kind that is not supported", io::printable(*type),
                "Supported are linear, mlp2x_gelu and identity");
  LAVA_TRY(MlpLayout layout, MlpLayout::find(source));
  LAVA_TRY(layout.activation, projector_activation(config));
  return layout;
}

}  // namespace

VisionOptions vision_options(int text_width, VisionPrecision precision, const TextEmbeddings* embeddings) {
  switch (precision) {
    case VisionPrecision::exact:
      return {text_width, Precision::exact, false, embeddings};
    case VisionPrecision::int8:
      return {text_width, Precision::fast, true, embeddings};
    case VisionPrecision::automatic:
      break;
  }
  return {text_width, Precision::bf16, false, embeddings};
}

bool has_vision(const nlohmann::json& config) { return io::member(config, "vision_config") || io::member(config, "mm_vision_tower"); }

Result<VisionPart> open_vision_folder(Device& device, const std::filesystem::path& folder, const VisionOptions& options) {
  LAVA_TRY(const nlohmann::json config, io::read_json(folder / "config.json"));
  Parts parts;
  LAVA_TRY(std::unique_ptr<io::Safetensors> model, io::Safetensors::open(folder));
  VisionPart found;
  found.sources.push_back(std::move(model));
  LAVA_CHECK_OK(find_tower(folder, config, found, parts));
  parts.projector = found.sources.front().get();
  LAVA_TRY(parts.layout, find_projector(config, *parts.projector));
  LAVA_TRY(parts.partition, read_partition_config(folder));
  LAVA_TRY(VisionPart part, assemble(device, parts, options, parts.projector->describe()));
  part.sources = std::move(found.sources);
  return part;
}

Result<VisionPart> open_vision_gguf(Device& device, const std::filesystem::path& path, const VisionOptions& options) {
  LAVA_TRY(std::unique_ptr<io::Gguf> file, io::Gguf::open(path));
  Parts parts;
  LAVA_TRY(parts.config, vit_from_gguf(*file));
  LAVA_TRY(parts.layout, MlpLayout::find_gguf(*file));
  LAVA_TRY(parts.partition, partition_config(*file));
  if (parts.layout.newline.empty() && parts.partition.pack == PackMode::spatial_unpad) parts.partition.pack = PackMode::flat;
  parts.tower = parts.projector = file.get();
  parts.files = file->files();
  parts.names = VitNames::gguf(*file, parts.config.width);
  LAVA_TRY(VisionPart part, assemble(device, parts, options, file->describe()));
  part.sources.push_back(std::move(file));
  return part;
}

}  // namespace lava
