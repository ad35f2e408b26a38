// `lavascope-engine inspect`: what a model file, a model folder or a picture is.
#include "engine/io/inspect.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "engine/cli/commands.h"
#include "engine/core/model_files.h"
#include "engine/io/names.h"
#include "engine/media/picture.h"

namespace lava {
namespace {

using io::Facts;

struct Options {
  std::string path;
  int64_t context = 0;
  bool json = false;
};

std::string with_unit(double value, std::initializer_list<const char*> units, double step) {
  auto unit = units.begin();
  while (value >= step && unit + 1 != units.end()) value /= step, ++unit;
  const int digits = unit == units.begin() || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, digits, *unit);
}

std::string bytes_text(const Facts& value) { return with_unit(value.get<double>(), {"bytes", "KiB", "MiB", "GiB", "TiB"}, 1024); }
std::string count_text(const Facts& value) { return with_unit(value.get<double>(), {"", "thousand", "million", "billion"}, 1000); }

std::string text_of(const Facts& value) {
  return io::printable(value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Facts::error_handler_t::replace), 100);
}

void print_table(const char* title, const Facts& table) {
  for (const auto& [name, row] : table.items()) {
    fmt::print("{:<14} {:<16} {:>6} tensors  {:>14} parameters  {:>10}\n", title, name, row["tensors"].get<uint64_t>(),
               count_text(row["parameters"]), bytes_text(row["bytes"]));
    title = "";
  }
}

void print_text(const Facts& facts) {
  fmt::print("{:<14} {}\n", "kind", facts["kind"].get<std::string>());
  for (const char* key : {"container", "architecture", "name", "format", "stored", "upright", "orientation", "alpha"})
    if (facts.contains(key)) fmt::print("{:<14} {}\n", key, text_of(facts[key]));
  if (facts.contains("file_bytes")) fmt::print("{:<14} {}, {}\n", "files", facts["files"].get<uint64_t>(), bytes_text(facts["file_bytes"]));
  if (facts.contains("parameters")) fmt::print("{:<14} {}\n", "parameters", count_text(facts["parameters"]));
  if (facts.contains("formats")) print_table("formats", facts["formats"]);
  if (facts.contains("parts")) print_table("parts", facts["parts"]);
  if (facts.contains("unread")) print_table("not read", facts["unread"]);
  for (const char* group : {"shape", "adapter"})
    if (facts.contains(group))
      for (const auto& [key, value] : facts[group].items()) fmt::print("{:<14} {}\n", key, text_of(value));
  if (facts.contains("memory"))
    for (const auto& [key, value] : facts["memory"].items())
      fmt::print("{:<14} {}\n", key == "context" ? "for context of" : key.substr(0, key.find('_')) + " memory",
                 key == "context" ? text_of(value) : bytes_text(value));
  if (facts.contains("metadata"))
    for (const auto& [key, value] : facts["metadata"].items()) fmt::print("  {} = {}\n", io::printable(key), text_of(value));
}

Result<Facts> inspect_picture(const std::filesystem::path& path) {
  LAVA_TRY(const io::MappedFile file, io::MappedFile::open(path));
  auto read = media::picture_info(file.bytes());
  if (!read) read.error().cause = path.string() + (read.error().cause.empty() ? "" : ": " + read.error().cause);
  LAVA_TRY(const media::SourceInfo info, std::move(read));
  const auto size = [](Size s) { return fmt::format("{} x {}", s.width, s.height); };
  return Facts{{"kind", "picture"},
               {"format", media::format_name(info.format)},
               {"stored", size(info.stored)},
               {"upright", size(info.upright)},
               {"orientation", info.orientation},
               {"alpha", info.alpha},
               {"files", 1},
               {"file_bytes", file.size()}};
}

bool is_picture(const std::filesystem::path& path) {
  const auto file = io::MappedFile::open(path);
  return file && media::looks_like_picture(file->bytes());
}

// A model put together by a model.json: the language model's facts, and what each other file adds.
Result<Facts> inspect_manifest(const Options& options) {
  AssistantOptions assistant;
  assistant.model = options.path;
  LAVA_TRY(const ModelFiles files, find_model_files(assistant));
  LAVA_TRY(Facts facts, io::inspect_model(files.text, options.context));
  const auto row = [](const Facts& part) {
    return Facts{{"tensors", part["tensors"]}, {"parameters", part["parameters"]}, {"bytes", part["file_bytes"]}};
  };
  Facts parts = {{"language model", row(facts)}};
  const auto add = [&](const std::string& name, const std::filesystem::path& path) -> Result<void> {
    LAVA_TRY(const Facts part, io::inspect_model(path));
    parts[name] = row(part);
    for (const char* sum : {"files", "file_bytes", "parameters", "tensors"}) facts[sum] = facts[sum].get<uint64_t>() + part[sum].get<uint64_t>();
    if (facts.contains("memory"))
      for (const char* sum : {"weight_bytes", "total_bytes"})
        if (facts["memory"].contains(sum)) facts["memory"][sum] = facts["memory"][sum].get<uint64_t>() + part["file_bytes"].get<uint64_t>();
    for (const auto& [format, more] : part["formats"].items())
      for (const auto& [key, value] : more.items()) {
        Facts& sum = facts["formats"][format];
        sum[key] = (sum.contains(key) ? sum[key].get<uint64_t>() : 0) + value.get<uint64_t>();
      }
    return {};
  };
  for (const auto& [key, name] : {std::pair("encoder_file", "vision tower"), std::pair("connector_file", "connector")})
    if (files.vision.is_object() && files.vision.contains(key) && files.vision[key].is_string())
      LAVA_CHECK_OK(add(name, files.folder / files.vision[key].get<std::string>()));
  for (const ManifestAdapter& adapter : files.adapters) LAVA_CHECK_OK(add("adapter " + adapter.name, adapter.path));
  facts["kind"] = "vision-language model";
  facts["container"] = "model.json";
  facts["name"] = files.name;
  facts["parts"] = parts;
  return facts;
}

Result<Facts> inspect(const Options& options) {
  if (has_manifest(options.path)) return inspect_manifest(options);
  return is_picture(options.path) ? inspect_picture(options.path) : io::inspect_model(options.path, options.context);
}

int run(const Options& options) {
  const Result<Facts> facts = inspect(options);
  if (!facts) {
    fmt::print(stderr, "{}\n", facts.error().message());
    return 2;
  }
  if (options.json)
    fmt::print("{}\n", facts->dump(1, ' ', false, Facts::error_handler_t::replace));
  else
    print_text(*facts);
  return 0;
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("inspect", "Say what a model file, a model folder or a picture is");
  auto options = std::make_shared<Options>();
  command->add_option("path", options->path, "GGUF or safetensors file, model folder, LoRA folder, picture, or \"default\"")->required();
  command->add_option("--context", options->context, "Count the memory of keys and values for so many tokens; 0: the model's own")
      ->check(CLI::Range(0, 100'000'000));
  command->add_flag("--json", options->json, "Print everything as JSON");
  command->callback([options] {
    if (const int code = run(*options); code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace lava
