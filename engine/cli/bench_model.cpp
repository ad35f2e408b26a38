#include "engine/cli/bench_model.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>

#include "engine/cli/interrupts.h"
#include "engine/cli/progress.h"
#include "engine/core/mmproj.h"
#include "engine/core/model_files.h"
#include "engine/io/gguf.h"
#include "engine/io/new_file.h"
#include "engine/models/text_config.h"
#include "engine/synth/write.h"

namespace lava::bench {
namespace {

namespace fs = std::filesystem;

void add_weights_of_folder(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string ending = entry->path().extension().string();
    if (ending == ".safetensors" || ending == ".gguf") files.push_back(entry->path());
  }
}

}  // namespace

Result<Model> Model::get(const Settings& settings, Half half) {
  Model model;
  model.path_ = settings.model;
  if (!settings.shape.empty()) LAVA_CHECK_OK(model.make(settings, half));
  return model;
}

Model::Model(Model&& other) noexcept : path_(std::move(other.path_)), folder_(std::move(other.folder_)) { other.folder_.clear(); }

Model::~Model() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Result<void> Model::make(const Settings& settings, Half half) {
  LAVA_TRY(const synth::Shape* shape, synth::find_shape(settings.shape));
  const bool sees = !shape->partner.empty();
  if (half == Half::vision && shape->text && !sees)
    return fail(Error::Kind::invalid, "This shape has no vision tower", settings.shape, "lavascope-engine synth --list shows which see");
  if (half != Half::vision && shape->vision)
    return fail(Error::Kind::invalid, "This shape is no language model", settings.shape, "Choose the shape of the whole model");
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "lavascope-bench-XXXXXX").string();
  if (error || !::mkdtemp(pattern.data())) return fail(Error::Kind::io, "There is no folder for temporary files", std::strerror(errno), "Set TMPDIR to one that exists");
  folder_ = pattern;
  cli::remove_when_interrupted(folder_);
  ::setenv("LAVASCOPE_CACHE", "off", 1);  // nobody opens this model again: its packed weights would only fill the disk
  const std::string vision(shape->vision ? shape->name : shape->partner);
  if (half == Half::vision) {
    LAVA_CHECK_OK(add(vision, settings.format, "mmproj-" + vision + "-" + settings.format + ".gguf", 0));
  } else {
    LAVA_CHECK_OK(add(settings.shape, settings.format, settings.shape + "-" + settings.format + ".gguf", 0));
    const std::string text = path_;
    if (half == Half::both && sees) LAVA_CHECK_OK(add(vision, "f16", "mmproj-" + settings.shape + "-f16.gguf", shape->text->config.width));
    path_ = text;
  }
  return {};
}

Result<void> Model::add(const std::string& name, const std::string& format_name, const std::string& file, int text_width) {
  LAVA_TRY(const synth::Shape* shape, synth::find_shape(name));
  LAVA_TRY(const synth::FileFormat format, synth::find_format(format_name));
  synth::Order order = synth::order_of(*shape, format, 1);
  if (text_width > 0) std::get<synth::VisionShape>(order.shape).text_width = text_width;
  path_ = (folder_ / file).string();
  cli::remove_when_interrupted(io::NewFile::unfinished(path_));
  cli::remove_when_interrupted(path_);
  cli::ProgressLine line("making " + file);
  LAVA_CHECK_OK(synth::write_model(order, path_, [&](uint64_t done, uint64_t total) { line.show(done, total); }));
  return {};
}

AssistantOptions options_of(const Settings& settings, const Model& model) {
  AssistantOptions options;
  options.model = model.path(), options.exact = settings.exact, options.context = settings.context, options.vision = settings.vision;
  options.kv = settings.kv, options.gpu_layers = settings.gpu_layers;
  return options;
}

Result<std::vector<fs::path>> weight_files(const AssistantOptions& options) {
  LAVA_TRY(const ModelFiles model, find_model_files(options));
  std::vector<fs::path> files;
  if (!model.gguf) {
    add_weights_of_folder(model.text, files);
    return files;
  }
  LAVA_TRY(const auto file, io::Gguf::open(model.text));
  for (const io::MappedFile& part : file->files()) files.push_back(part.path());
  if (!model.folder.empty()) {
    add_weights_of_folder(model.folder, files);
    return files;
  }
  LAVA_TRY(const TextConfig config, read_gguf_text_config(*file));
  const fs::path mmproj = options.mmproj.empty() ? find_mmproj(model.text, config.width).file : fs::path(options.mmproj);
  if (!mmproj.empty()) files.push_back(mmproj);
  return files;
}

Result<media::Picture> picture_of(const Settings& settings) {
  if (!settings.image.empty()) return media::read_picture(settings.image);
  media::Picture picture = media::blank_picture({640, 480}, 0, 0, 0);
  for (size_t i = 0; i < picture.rgb.size(); ++i) picture.rgb[i] = static_cast<uint8_t>(i / 7 % 640 * 3 / 8 + (i * 2654435761u >> 27) % 16);
  return picture;
}

}  // namespace lava::bench
