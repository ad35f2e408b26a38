#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/cli/common.h"
#include "engine/core/assistant.h"
#include "engine/core/detector.h"
#include "engine/core/text_runner.h"
#include "engine/io/gguf.h"
#include "engine/media/picture.h"
#include "kernels/trace.h"

namespace lava {
namespace {

struct BenchSettings {
  std::string model, image;
  int n = 0, depth = 0, repeat = 3;
  CpuOptions cpu;
  bool exact = false, json = false, trace = false;
};

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A language model of a GGUF file alone, and rows of arbitrary ids: dense models take the same time for any token.
struct TextBench {
  std::unique_ptr<Device> cpu;
  std::unique_ptr<TraceDevice> traced;
  std::unique_ptr<io::Gguf> file;
  std::unique_ptr<Weights> weights;
  std::unique_ptr<Decoder> decoder;
  std::unique_ptr<TextRunner> runner;

  Device& device() { return traced ? static_cast<Device&>(*traced) : *cpu; }

  static Result<TextBench> open(const BenchSettings& settings) {
    TextBench bench;
    LAVA_TRY(bench.cpu, make_cpu_device(settings.cpu));
    if (settings.trace) bench.traced = std::make_unique<TraceDevice>(*bench.cpu);
    LAVA_TRY(bench.file, io::Gguf::open(settings.model));
    LAVA_TRY(const TextConfig config, read_gguf_text_config(*bench.file));
    bench.weights = std::make_unique<Weights>(bench.device());
    DecoderOptions options;
    options.context = settings.depth + settings.n + 16;
    options.precision = settings.exact ? Precision::exact : Precision::fast;
    LAVA_TRY(bench.decoder, Decoder::load(*bench.weights, *bench.file, config, options));
    RunnerOptions runner;
    runner.slots = 1;
    runner.kv = settings.exact ? DType::f32 : DType::f16;
    LAVA_TRY(bench.runner, TextRunner::create(bench.device(), *bench.decoder, {}, runner));
    return bench;
  }

  Prompt prompt(int rows, int salt) const {
    Prompt prompt;
    for (int i = 0; i < rows; ++i) {
      const int32_t id = static_cast<int32_t>((int64_t{i} * 7919 + salt * 104729 + 11) % decoder->config().vocabulary);
      prompt.info.push_back({RowKind::text, id});
      prompt.info.back().position = i;
      prompt.embeddings.push_back(nullptr);
      prompt.keys.push_back({0, id});
    }
    return prompt;
  }
};

void print(const BenchSettings& settings, const char* what, const DeviceInfo& device, int count, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  if (settings.json)
    std::printf("%s\n", nlohmann::json({{"what", what}, {"n", count}, {"depth", settings.depth}, {"threads", device.threads}, {"isa", device.isa},
                                        {"seconds", median}, {"tokens_per_s", count / median}, {"all_seconds", times}}).dump().c_str());
  else
    std::printf("%s, %d tokens at depth %d, %d threads, %s: %.1f tokens/s (%.1f ms, best of %zu %.1f ms)\n", what, count, settings.depth, device.threads,
                device.isa.c_str(), count / median, 1e3 * median, times.size(), 1e3 * times[0]);
}

Result<void> bench_text(BenchSettings settings, bool decode) {
  if (settings.n == 0) settings.n = decode ? 128 : 512;
  LAVA_TRY(TextBench bench, TextBench::open(settings));
  std::vector<double> times;
  for (int round = 0; round < settings.repeat + 1; ++round) {  // the first one warms up
    bench.runner->forget();
    const int rows = decode ? std::max(settings.depth, 1) : settings.n;
    const Prompt prompt = bench.prompt(rows, round);
    Result<int> filled = 0;
    const double prefill = seconds_of([&] { filled = bench.runner->prefill(prompt, {}); });
    if (!filled) return tl::unexpected<Error>(filled.error());
    if (decode) bench.runner->prepare_steps();
    const double seconds = !decode ? prefill : seconds_of([&] {
      for (int i = 0; i < settings.n; ++i) bench.runner->step(static_cast<int32_t>(100 + i));
    });
    if (round > 0) times.push_back(seconds);
  }
  print(settings, decode ? "decode" : "prefill", bench.cpu->info(), settings.n, times);
  if (settings.trace) std::printf("%s", bench.traced->table().c_str());
  return {};
}

// Picture to first token: the same picture is given with one pixel changed each round, so that nothing comes from a cache.
Result<void> bench_ttft(const BenchSettings& settings) {
  LAVA_TRY(auto device, make_cpu_device(settings.cpu));
  AssistantOptions options;
  options.model = settings.model;
  options.exact = settings.exact;
  LAVA_TRY(auto assistant, Assistant::load(*device, options));
  LAVA_TRY(media::Picture picture, media::read_picture(settings.image));
  std::vector<double> times;
  int tokens = 0;
  for (int round = 0; round < settings.repeat + 1; ++round) {
    picture.rgb[0] = static_cast<uint8_t>(round);
    LAVA_TRY(const auto file, media::encode_png(picture));
    Request request;
    ChatMessage message;
    message.parts.push_back({MessagePart::Kind::picture, {}, std::make_shared<const std::string>(reinterpret_cast<const char*>(file.data()), file.size())});
    message.parts.push_back({MessagePart::Kind::text, "What is in this picture?", nullptr});
    request.messages.push_back(message);
    request.max_tokens = 1;
    LAVA_TRY(const Answer answer, assistant->answer(request));
    tokens = answer.timings.prompt_tokens;
    if (round > 0) times.push_back(answer.timings.first_token_ms / 1e3);
  }
  print(settings, "ttft", device->info(), tokens, times);
  return {};
}

// Processor time of all threads of this process.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// From a picture's file to the names and places of what stands in it.
Result<void> bench_detect(const BenchSettings& settings) {
  LAVA_TRY(auto device, make_cpu_device(settings.cpu));
  LAVA_TRY(auto detector, Detector::open(*device));
  DetectRequest request;
  LAVA_TRY(request.picture, cli::read_file(settings.image));
  std::vector<double> times;
  double cpu = 0;
  Result<Detections> found = Detections{};
  for (int round = 0; round < settings.repeat + 1; ++round) {  // the first one warms up
    if (round == 1) cpu = cpu_seconds();
    const double seconds = seconds_of([&] { found = detector->detect(request); });
    if (!found) return tl::unexpected<Error>(found.error());
    if (round > 0) times.push_back(seconds);
  }
  cpu = (cpu_seconds() - cpu) / settings.repeat;
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  const DeviceInfo& info = device->info();
  const auto [width, height] = found->size;
  if (settings.json)
    std::printf("%s\n", nlohmann::json({{"what", "detect"}, {"width", width}, {"height", height}, {"objects", found->objects.size()}, {"threads", info.threads},
                                        {"isa", info.isa}, {"seconds", median}, {"cpu_seconds", cpu}, {"all_seconds", times}}).dump().c_str());
  else
    std::printf("detect, %d x %d pixels, %zu objects, %d threads, %s: %.1f ms (best of %zu %.1f ms, %.1f ms of processor time)\n", width, height,
                found->objects.size(), info.threads, info.isa.c_str(), 1e3 * median, times.size(), 1e3 * times[0], 1e3 * cpu);
  return {};
}

void add(CLI::App& parent, const char* name, const char* help, const std::function<Result<void>(const BenchSettings&)>& run) {
  auto* command = parent.add_subcommand(name, help);
  auto settings = std::make_shared<BenchSettings>();
  const bool detect = std::string_view(name) == "detect", picture = detect || std::string_view(name) == "ttft";
  if (!detect) command->add_option("--model", settings->model, picture ? "any model that sees, or \"default\"" : "GGUF file")->required();
  if (picture) {
    command->add_option("--image", settings->image)->required();
  } else {
    command->add_option("-n", settings->n, "tokens")->check(CLI::Range(1, 100000));
    command->add_option("--depth", settings->depth, "tokens already in the cache")->check(CLI::Range(0, 100000));
    command->add_flag("--trace", settings->trace, "time and bytes of every op");
  }
  command->add_option("--threads", settings->cpu.threads)->check(CLI::Range(0, 1024));
  command->add_option("--repeat", settings->repeat)->capture_default_str()->check(CLI::Range(1, 1000));
  if (!detect) command->add_flag("--exact", settings->exact, "float32 arithmetic");
  command->add_flag("--json", settings->json);
  command->callback([settings, run] {
    const auto result = run(*settings);
    if (!result) std::fprintf(stderr, "%s\n", result.error().message().c_str());
    throw CLI::RuntimeError(result ? 0 : 1);
  });
}

}  // namespace

void add_bench_command(CLI::App& app) {
  auto* bench = app.add_subcommand("bench", "Measure this machine");
  bench->require_subcommand(1);
  add(*bench, "prefill", "Tokens per second of reading a prompt", [](const BenchSettings& s) { return bench_text(s, false); });
  add(*bench, "decode", "Tokens per second of writing an answer", [](const BenchSettings& s) { return bench_text(s, true); });
  add(*bench, "ttft", "Time from a picture to the first token of the answer", bench_ttft);
  add(*bench, "detect", "Time from a picture to what stands where in it", bench_detect);
}

}  // namespace lava
