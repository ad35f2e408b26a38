// `lavascope-engine bench`: measures this machine.
#include "engine/cli/bench.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "engine/cli/commands.h"
#include "engine/cli/common.h"

namespace lava {
namespace {

using bench::Settings;

enum Takes : unsigned { model = 1, mandatory = 2, tokens = 4, depth = 8, picture = 16, image_mandatory = 32, trace = 64, exact = 128, context = 256, check = 512, kv = 1024, text = 2048 };

struct Command {
  const char* name;
  const char* help;
  unsigned takes;
  Result<void> (*run)(const Settings&);
};

constexpr Command commands[] = {
    {"prefill", "Reading a prompt: tokens per second", model | text | tokens | depth | trace | exact | kv, bench::prefill},
    {"decode", "Writing an answer: tokens per second", model | text | tokens | depth | trace | exact | kv, bench::decode},
    {"encode", "The vision tower and its projector: seconds per picture, views per second", model | picture | trace | exact | check, bench::encode},
    {"ttft", "From a picture to the first token of the answer", model | text | picture | exact | context | kv, bench::ttft},
    {"detect", "From a picture to what stands where in it (the detector that comes with the program)", picture | image_mandatory, bench::detect},
    {"open", "From nothing to the first token: with the files in the page cache (warm) and without (cold)", model | text | exact | context | kv, bench::open},
    {"memory", "The most memory that opening and answering take, beside the size of the files", model | text | tokens | picture | exact | context | kv, bench::memory},
};

void add_common(CLI::App& command, Settings& settings) {
  command.add_option("--threads", settings.cpu.threads, "0: one per core")->check(CLI::Range(0, 256));
  command.add_flag("--json", settings.json);
}

void run_when_called(CLI::App& command, const std::shared_ptr<Settings>& settings, Result<void> (*run)(const Settings&)) {
  command.callback([settings, run] {
    const auto result = run(*settings);
    if (!result) std::fprintf(stderr, "%s\n", result.error().message().c_str());
    throw CLI::RuntimeError(result ? 0 : 1);
  });
}

void add(CLI::App& parent, const Command& description) {
  auto* command = parent.add_subcommand(description.name, description.help);
  const auto settings = std::make_shared<Settings>();
  const unsigned takes = description.takes;
  if (takes & model) {
    auto* which = command->add_option_group("model")->require_option(1);
    which->add_option("--model", settings->model,
                      takes & picture ? "GGUF file, projector file (encode), folder, or \"default\"" : "GGUF file, or what else the engine opens (open, memory)");
    which->add_option("--shape", settings->shape, "random weights of this shape, in a temporary file (lavascope-engine synth --list)");
    command->add_option("--format", settings->format, "number format of --shape")->capture_default_str();
  }
  if (takes & tokens) command->add_option("-n", settings->n, "tokens")->check(CLI::Range(1, 100000));
  if (takes & depth) command->add_option("--depth", settings->depth, "tokens already in the cache")->check(CLI::Range(0, 100000));
  if (takes & picture) {
    auto* image = command->add_option("--image", settings->image, takes & image_mandatory ? "" : "a picture; one is made when absent");
    if (takes & image_mandatory) image->required();
  }
  if (takes & context) command->add_option("--context", settings->context, "tokens of context (the model's own, at most 8192)")->check(CLI::Range(16, 1 << 20));
  if (takes & trace) command->add_flag("--trace", settings->trace, "time and bytes of every op");
  if (takes & exact) command->add_flag("--exact", settings->exact, "float32 arithmetic");
  if (takes & picture) cli::add_vision_precision(*command, settings->vision);
  if (takes & check) command->add_flag("--check", settings->check, "also in float32, and how much the rows differ");
  if (takes & kv) cli::add_kv_choice(*command, settings->kv);
  if (takes & model) cli::add_device(*command, settings->device);
  if (takes & text) cli::add_gpu_layers(*command, settings->gpu_layers, settings->device);
  command->add_option("--repeat", settings->repeat)->capture_default_str()->check(CLI::Range(1, 1000));
  add_common(*command, *settings);
  run_when_called(*command, settings, description.run);
}

void add_ops(CLI::App& parent) {
  auto* command = parent.add_subcommand("ops", "Every op in shapes of real models: time, speed and share of the device's roof");
  const auto settings = std::make_shared<Settings>();
  command->add_option("--op", settings->op, "only this one");
  cli::add_device(*command, settings->device);
  command->add_option("--seconds", settings->budget, "for each shape")->capture_default_str()->check(CLI::Range(0.001, 60.0));
  add_common(*command, *settings);
  run_when_called(*command, settings, bench::ops);
}

}  // namespace

void add_bench_command(CLI::App& app) {
  auto* bench = app.add_subcommand("bench", "Measure this machine");
  bench->require_subcommand(1);
  for (const Command& command : commands) add(*bench, command);
  add_ops(*bench);
}

}  // namespace lava
