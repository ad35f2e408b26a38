// Speed of a language model alone: reading a prompt, writing an answer.
#include <fmt/format.h>

#include "engine/cli/bench_model.h"
#include "engine/cli/common.h"
#include "engine/core/split_decoder.h"
#include "engine/core/text_runner.h"
#include "engine/io/gguf.h"
#include "kernels/trace.h"

namespace lava::bench {
namespace {

// A GGUF file, and rows of arbitrary ids: dense models take the same time for any token.
struct TextBench {
  OpenedDevice opened;
  std::unique_ptr<TraceDevice> traced;
  std::unique_ptr<WorkMeter> meter;
  std::unique_ptr<io::Gguf> file;
  SplitDecoder text;
  std::unique_ptr<TextRunner> runner;

  static Result<TextBench> open(const Settings& settings, const std::string& model) {
    TextBench bench;
    LAVA_TRY(bench.opened, cli::open_chosen_device(settings.device, settings.cpu));
    Device& device = bench.opened.devices().main;  // work is counted and traced on it alone
    if (settings.trace) bench.traced = std::make_unique<TraceDevice>(device);
    bench.meter = std::make_unique<WorkMeter>(bench.traced ? static_cast<Device&>(*bench.traced) : device);
    LAVA_TRY(bench.file, io::Gguf::open(model));
    LAVA_TRY(const TextConfig config, read_gguf_text_config(*bench.file));
    SplitOptions options;
    options.context = settings.depth + settings.n + 16;
    options.precision = settings.exact ? Precision::exact : Precision::fast;
    options.on_main = settings.gpu_layers < 0 || !bench.opened.module ? config.layers : std::min(settings.gpu_layers, config.layers);
    options.prepare = [&](Weights& weights) { weights.add_source(*bench.file, bench.file->files(), std::nullopt); };  // laid out as in a server
    LAVA_TRY(bench.text, load_split({*bench.meter, *bench.opened.cpu}, *bench.file, config, options));
    RunnerOptions runner;
    runner.slots = 1;
    runner.kv = kv_format(settings.kv, bench.text.kv_shape(DType::f16), settings.exact);
    LAVA_TRY(bench.runner, TextRunner::create(bench.text.parts(), {}, runner));
    return bench;
  }

  Prompt prompt(int rows, int salt) const {
    Prompt prompt;
    for (int i = 0; i < rows; ++i) {
      const int32_t id = static_cast<int32_t>((int64_t{i} * 7919 + salt * 104729 + 11) % text.decoder->config().vocabulary);
      prompt.info.push_back({RowKind::text, id});
      prompt.info.back().position = i;
      prompt.embeddings.push_back(nullptr);
      prompt.keys.push_back({0, id});
    }
    return prompt;
  }
};

// `depth` rows are in the cache before the clock runs; prefill then adds its own to them.
Result<double> run_round(TextBench& bench, const Settings& settings, bool decode, int round) {
  TextRunner& runner = *bench.runner;
  runner.forget();
  const Prompt whole = bench.prompt(decode ? std::max(settings.depth, 1) : settings.depth + settings.n, round);
  const bool metered = bench.meter->on;
  if (decode || settings.depth > 0) {
    bench.meter->on = false;
    const int before = decode ? whole.size() : settings.depth;
    const Prompt past{{whole.info.begin(), whole.info.begin() + before},
                      {whole.embeddings.begin(), whole.embeddings.begin() + before},
                      {whole.keys.begin(), whole.keys.begin() + before}};
    LAVA_CHECK_OK(runner.prefill(past, {}));
  }
  if (decode) runner.prepare_steps();
  bench.meter->on = metered;
  Result<int> filled = 0;
  Result<void> stepped;
  const double seconds = seconds_of([&] {
    if (!decode) filled = runner.prefill(whole, {});
    for (int i = 0; decode && stepped && i < settings.n; ++i) stepped = runner.step(static_cast<int32_t>(100 + i % 100));
  });
  if (!stepped) return tl::unexpected<Error>(stepped.error());
  if (!filled) return tl::unexpected<Error>(filled.error());
  return seconds;
}

Result<void> run(Settings settings, bool decode) {
  if (settings.n == 0) settings.n = decode ? 128 : 512;
  LAVA_TRY(const Model model, Model::get(settings, Model::Half::text));
  LAVA_TRY(TextBench bench, TextBench::open(settings, model.path()));
  const std::string_view kv = dtype_info(bench.runner->kv_type()).name;
  Measured m{decode ? "decode" : "prefill", decode ? Bound::memory : Bound::compute, {{"n", settings.n}, {"depth", settings.depth}, {"kv_format", kv}, {"layers", bench.text.decoder->config().layers}, {"device_layers", bench.text.main_layers()}},
             fmt::format("{} tokens at depth {}, keys and values in {}", settings.n, settings.depth, kv)};
  if (bench.text.upper) m.shown += fmt::format(", {} of {} layers on the device", bench.text.main_layers(), bench.text.decoder->config().layers);
  m.count = settings.n;
  LAVA_CHECK_OK(measure(m, settings, *bench.meter, [&](int round) { return run_round(bench, settings, decode, round); }));
  print(settings, bench.runner->device().info(), std::move(m));
  if (settings.trace) fmt::print("{}", bench.traced->table());
  return {};
}

}  // namespace

Result<void> prefill(const Settings& settings) { return run(settings, false); }
Result<void> decode(const Settings& settings) { return run(settings, true); }

}  // namespace lava::bench
