// `lavascope-engine synth`: random weights of a real shape, to measure with.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "engine/cli/commands.h"
#include "engine/cli/interrupts.h"
#include "engine/cli/progress.h"
#include "engine/io/new_file.h"
#include "engine/synth/write.h"

namespace lava {
namespace {

struct SynthSettings {
  std::string shape, format = "q4_0", out;
  uint64_t seed = 1;
  int text_width = 0;
  bool list = false;
};

void print_shapes() {
  for (const synth::Shape& shape : synth::shapes())
    fmt::print("{:<18} {}{}\n", shape.name, shape.description, shape.partner.empty() ? "" : fmt::format(" (sees with {})", shape.partner));
  fmt::print("formats:");
  for (const synth::FileFormat& format : synth::file_formats()) fmt::print(" {}", format.name);
  fmt::print("\n");
}

Result<void> write(const SynthSettings& settings) {
  if (settings.shape.empty() || settings.out.empty())
    return fail(Error::Kind::invalid, "The shape or the file is missing", {}, "Give --shape and -o; --list shows the shapes");
  LAVA_TRY(const synth::Shape* shape, synth::find_shape(settings.shape));
  LAVA_TRY(const synth::FileFormat format, synth::find_format(settings.format));
  synth::Order order = synth::order_of(*shape, format, settings.seed);
  if (settings.text_width > 0) {
    auto* vision = std::get_if<synth::VisionShape>(&order.shape);
    if (!vision) return fail(Error::Kind::invalid, "--text-width belongs to vision shapes", settings.shape + " is a language model");
    vision->text_width = settings.text_width;
  }
  cli::remove_when_interrupted(io::NewFile::unfinished(settings.out));
  cli::ProgressLine line("writing " + settings.out);
  LAVA_TRY(const synth::Written written, synth::write_model(order, settings.out, [&](uint64_t done, uint64_t total) { line.show(done, total); }));
  line.end();
  fmt::print("{}: {} in {}, {} tensors, {:.1f} MB, seed {}\n", settings.out, shape->name, format.name, written.tensors, static_cast<double>(written.bytes) / 1e6, settings.seed);
  if (!shape->partner.empty())
    fmt::print("Its vision half: lavascope-engine synth --shape {} --format f16 --text-width {} -o mmproj-{}-f16.gguf, in the same folder.\n", shape->partner,
               shape->text->config.width, shape->name);
  return {};
}

}  // namespace

void add_synth_command(CLI::App& app) {
  auto* command = app.add_subcommand("synth", "Write random weights of a real shape as a GGUF file, to measure with");
  auto settings = std::make_shared<SynthSettings>();
  command->add_option("--shape", settings->shape, "which model; --list shows all");
  command->add_option("--format", settings->format, "f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k (as Q4_K_M), q4_k_s, q5_k (as Q5_K_M), q6_k")->capture_default_str();
  command->add_option("-o,--out", settings->out, "the file; it appears when it is complete");
  command->add_option("--seed", settings->seed, "the same one gives the same file")->capture_default_str();
  command->add_option("--text-width", settings->text_width, "of a vision shape: width of the language model's rows")->check(CLI::Range(1, 1 << 17));
  command->add_flag("--list", settings->list, "the shapes and formats");
  command->footer(
      "A model that sees is a pair of files in one folder: the language model, and a projector file whose name holds \"mmproj\".\n"
      "LLaVA-1.5-7B is made by\n"
      "  lavascope-engine synth --shape llava-1.5-7b --format q4_0 -o DIR/llava-1.5-7b-q4_0.gguf\n"
      "  lavascope-engine synth --shape clip-l-336 --format f16 -o DIR/mmproj-llava-1.5-7b-f16.gguf");
  command->callback([settings] {
    if (settings->list) return print_shapes();
    const auto result = write(*settings);
    if (!result) std::fprintf(stderr, "%s\n", result.error().message().c_str());
    throw CLI::RuntimeError(result ? 0 : 1);
  });
}

}  // namespace lava
