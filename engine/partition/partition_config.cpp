#include "engine/partition/partition_config.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/io/json_file.h"
#include "engine/io/names.h"
#include "engine/partition/settings.h"

namespace lava {
namespace {

using io::member;
using nlohmann::json;

using Pairs = std::vector<std::pair<int64_t, int64_t>>;

constexpr std::array<double, 3> halves = {0.5, 0.5, 0.5};

tl::unexpected<Error> wrong(std::string cause) {
  return fail(Error::Kind::invalid, "The picture settings of the model cannot be used", std::move(cause));
}

std::string text_or(const json& object, std::string_view key, std::string fallback = {}) {
  const json* value = member(object, key);
  return value && value->is_string() ? value->get<std::string>() : fallback;
}

// A size that is written as a number, as {"shortest_edge": n} or as {"height": n, "width": n}; only squares.
Result<int> square_in(const json& object, std::string_view key) {
  const json* value = member(object, key);
  if (value && value->is_object()) {
    if (member(*value, "shortest_edge")) {
      LAVA_TRY(const int64_t edge, io::int_in(*value, "shortest_edge", least_side, most_side));
      return static_cast<int>(edge);
    }
    LAVA_TRY(const int64_t height, io::int_in(*value, "height", least_side, most_side));
    LAVA_TRY(const int64_t width, io::int_in(*value, "width", least_side, most_side));
    if (width != height) return wrong(fmt::format("views of {} x {} pixels are not square", width, height));
    return static_cast<int>(width);
  }
  LAVA_TRY(const int64_t side, io::int_in(object, key, least_side, most_side));
  return static_cast<int>(side);
}

Result<void> read_colours(const json& settings, bool siglip, PartitionConfig& config) {
  std::vector<double> mean(siglip ? halves.begin() : clip_mean.begin(), siglip ? halves.end() : clip_mean.end());
  std::vector<double> std(siglip ? halves.begin() : clip_std.begin(), siglip ? halves.end() : clip_std.end());
  if (member(settings, "image_mean")) {
    LAVA_TRY(mean, io::reals_in(settings, "image_mean", 3, 3));
  }
  if (member(settings, "image_std")) {
    LAVA_TRY(std, io::reals_in(settings, "image_std", 3, 3));
  }
  LAVA_TRY(const double factor, io::real_in(settings, "rescale_factor", 0, 1, 1.0 / 255));
  if (std::abs(factor - 1.0 / 255) > 1e-9) return wrong(fmt::format("its rescale_factor is {}, not 1/255", factor));
  LAVA_TRY(const int64_t filter, io::int_in(settings, "resample", 0, 5, 3));
  if (filter != 2 && filter != 3) return wrong(fmt::format("its resample filter is {}; known are 2 (bilinear) and 3 (bicubic)", filter));
  config.filter = filter == 2 ? media::Filter::bilinear : media::Filter::bicubic;
  return set_colours(config, mean, std);
}

Result<Pairs> read_pairs(const json& value, int side) {
  if (value.is_string()) return parse_resolutions(value.get_ref<const std::string&>(), side);
  if (!value.is_array() || value.size() > most_resolutions) return wrong("image_grid_pinpoints is no list of pairs");
  Pairs pairs;
  for (const json& pair : value) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() || !pair[1].is_number_unsigned())
      return wrong("image_grid_pinpoints is no list of pairs");
    const auto first = pair[0].get<uint64_t>(), second = pair[1].get<uint64_t>();
    if (first > 1'000'000 || second > 1'000'000) return wrong("a tile size is too large");
    pairs.emplace_back(static_cast<int64_t>(first), static_cast<int64_t>(second));
  }
  return pairs;
}

// What the library assumes when the files name no tile sizes.
Pairs usual_pairs(const std::string& method, int side) {
  if (method == "anyres") return {{side, 2 * side}, {2 * side, side}, {2 * side, 2 * side}, {3 * side, side}, {side, 3 * side}};
  Pairs pairs;
  for (int first = 1; first <= 6; ++first)
    for (int second = 1; second <= 6; ++second) pairs.emplace_back(first * side, second * side);
  return pairs;
}

Result<void> read_tiles(const json& config, const json& settings, bool height_first, PartitionConfig& out) {
  if (out.method == "single") return {};
  const json* listed = member(settings, "image_grid_pinpoints");
  if (!listed) listed = member(config, "image_grid_pinpoints");
  Pairs pairs = usual_pairs(out.method, out.side);
  if (listed) {
    LAVA_TRY(pairs, read_pairs(*listed, out.side));
  }
  return set_resolutions(out, pairs, height_first);
}

// Views as CLIPImageProcessor, SiglipImageProcessor, LlavaImageProcessor and the processors of NeXT and OneVision make them.
Result<void> read_fit(const json& config, const json& settings, bool siglip, PartitionConfig& out) {
  const std::string type = text_or(settings, "image_processor_type");
  const json* size = member(settings, "size");
  const bool shortest = !size || !size->is_object() || member(*size, "shortest_edge");
  LAVA_TRY(const bool crops, io::bool_in(settings, "do_center_crop", !siglip && shortest));
  LAVA_TRY(const bool pads, io::bool_in(settings, "do_pad", false));
  if (size) {
    LAVA_TRY(out.side, square_in(settings, "size"));
  } else {
    const json* vision = member(config, "vision_config");
    LAVA_TRY(const int64_t side, io::int_in(vision ? *vision : json::object(), "image_size", least_side, most_side));
    out.side = static_cast<int>(side);
  }
  out.fit = Fit::squash;
  if (crops) {
    out.fit = Fit::centre_crop;
    out.shortest_edge = out.side;
    if (member(settings, "crop_size")) {
      LAVA_TRY(out.side, square_in(settings, "crop_size"));
    }
  }
  if (pads && type.starts_with("LlavaImageProcessor")) out.fit = Fit::pad;
  return {};
}

Result<PartitionConfig> from_transformers(const json& config, const json& processor) {
  const json* nested = member(processor, "image_processor");
  const json& settings = nested && nested->is_object() ? *nested : processor;
  const std::string type = text_or(settings, "image_processor_type"), model = text_or(config, "model_type");
  const json* vision = member(config, "vision_config");
  const bool siglip = type.starts_with("Siglip") || (type.empty() && vision && text_or(*vision, "model_type").starts_with("siglip"));
  PartitionConfig out;
  LAVA_CHECK_OK(read_colours(settings, siglip, out));
  LAVA_CHECK_OK(read_fit(config, settings, siglip, out));
  if (type.starts_with("LlavaNext") || model.starts_with("llava_next")) {
    out.method = "anyres";
    out.pack = PackMode::spatial_unpad;
  } else if (type.starts_with("LlavaOnevision") || model == "llava_onevision") {
    out.method = "anyres_max";
    out.pack = PackMode::spatial_unpad;
    const std::string aspect = text_or(config, "vision_aspect_ratio", text_or(processor, "vision_aspect_ratio", "anyres_max_9"));
    LAVA_TRY(out.max_tiles, parse_max_tiles(aspect));
  }
  LAVA_CHECK_OK(read_tiles(config, settings, true, out));
  return out;
}

// The side that the name of a tower ends with: clip-vit-large-patch14-336, siglip-so400m-patch14-384; 224 without one.
int side_of_tower(const std::string& tower) {
  for (const int side : {224, 336, 384, 448, 512})
    if (tower.find(fmt::format("-{}", side)) != std::string::npos) return side;
  return 224;
}

Result<PartitionConfig> from_original(const json& config) {
  const std::string tower = text_or(config, "mm_vision_tower"), aspect = text_or(config, "image_aspect_ratio", "square");
  const bool siglip = tower.find("siglip") != std::string::npos;
  PartitionConfig out;
  LAVA_CHECK_OK(read_colours(json::object(), siglip, out));
  out.side = side_of_tower(tower);
  out.fit = aspect == "pad" ? Fit::pad : siglip ? Fit::squash : Fit::centre_crop;
  out.pack = pack_mode(text_or(config, "mm_patch_merge_type"));
  if (aspect == "anyres") {
    out.method = "anyres";
  } else if (aspect.starts_with("anyres")) {
    out.method = "anyres_max";
    LAVA_TRY(out.max_tiles, parse_max_tiles(aspect));
  } else if (aspect != "pad" && aspect != "square" && aspect != "none") {
    return wrong("the view mode is not known: " + io::printable(aspect));
  }
  LAVA_CHECK_OK(read_tiles(config, json::object(), false, out));
  return out;
}

std::vector<double> widened(const std::optional<std::vector<float>>& numbers) {
  return numbers ? std::vector<double>(numbers->begin(), numbers->end()) : std::vector<double>();
}

}  // namespace

Result<PartitionConfig> partition_config(const json& config, const json* processor) {
  try {
    if (!config.is_object() || (processor && !processor->is_object())) return wrong("they are not JSON objects");
    if (!processor && member(config, "mm_vision_tower")) return from_original(config);
    return from_transformers(config, processor ? *processor : json::object());
  } catch (const std::exception& error) {
    return wrong(io::printable(error.what()));
  }
}

Result<PartitionConfig> read_partition_config(const std::filesystem::path& folder) {
  LAVA_TRY(const json config, io::read_json(folder / "config.json"));
  for (const char* name : {"processor_config.json", "preprocessor_config.json"}) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder / name, ignored)) continue;
    LAVA_TRY(const json processor, io::read_json(folder / name));
    // Older processor files only name tokens; the picture settings stand in the other file.
    if (member(processor, "image_processor") || member(processor, "image_mean") || member(processor, "size"))
      return partition_config(config, &processor);
  }
  return partition_config(config, nullptr);
}

Result<PartitionConfig> partition_config(const io::Gguf& mmproj) {
  PartitionConfig out;
  LAVA_TRY(const int64_t side, mmproj.int_in("clip.vision.image_size", least_side, most_side));
  out.side = static_cast<int>(side);
  LAVA_CHECK_OK(
      set_colours(out, widened(mmproj.float_array("clip.vision.image_mean")), widened(mmproj.float_array("clip.vision.image_std"))));
  out.pack = pack_mode(mmproj.string("clip.vision.mm_patch_merge_type").value_or("flat"));
  if (!mmproj.has("clip.vision.image_grid_pinpoints")) return out;
  const uint64_t count = mmproj.array_size("clip.vision.image_grid_pinpoints");
  const auto numbers = count <= 2 * most_resolutions ? mmproj.int_array("clip.vision.image_grid_pinpoints") : std::nullopt;
  if (!numbers || numbers->size() % 2 != 0) return wrong("clip.vision.image_grid_pinpoints is no list of pairs");
  if (numbers->empty()) return out;
  Pairs pairs;
  for (size_t i = 0; i < numbers->size(); i += 2) pairs.emplace_back((*numbers)[i], (*numbers)[i + 1]);
  out.method = "anyres";
  const std::string aspect(mmproj.string("clip.vision.image_aspect_ratio").value_or("anyres"));
  if (aspect.starts_with("anyres_max")) {
    out.method = "anyres_max";
    LAVA_TRY(out.max_tiles, parse_max_tiles(aspect));
  }
  LAVA_CHECK_OK(set_resolutions(out, pairs, false));
  return out;
}

}  // namespace lava
