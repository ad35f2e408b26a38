#include "engine/cli/common.h"

#include <charconv>
#include <cstdio>
#include <fstream>
#include <map>

#include "engine/devices/trusted_device.h"

namespace lava::cli {

void add_model_options(CLI::App& command, ModelOptions& options, bool exact_by_default) {
  command.add_option("--model", options.assistant.model, "GGUF file, Hugging Face folder, folder with model.json, or \"default\"")
      ->capture_default_str();
  command.add_option("--mmproj", options.assistant.mmproj, "Projector file of a GGUF model (looked for beside it)");
  command.add_option("--adapter", options.assistant.adapters, "LoRA folder of PEFT; may be repeated");
  command.add_option("--context", options.assistant.context, "Tokens of context (the model's own, at most 8192)")
      ->check(CLI::Range(16, 1 << 24));
  add_device(command, options.device);
  add_gpu_layers(command, options.assistant.gpu_layers, options.device);
  command.add_option("--threads", options.cpu.threads, "Threads (one per core)")->check(CLI::Range(0, 256));
  options.assistant.exact = exact_by_default;
  auto* exact = command.add_flag_callback(
      "--exact", [&options] { options.assistant.exact = true; }, "Float32 arithmetic everywhere");
  auto* fast = command.add_flag_callback(
      "--fast", [&options] { options.assistant.exact = false; }, "Quantised arithmetic for quantised weights");
  exact->excludes(fast);
  add_vision_precision(command, options.assistant.vision);
  add_kv_choice(command, options.assistant.kv);
}

void add_device(CLI::App& command, DeviceChoice& choice) {
  const auto parse = [&choice](const std::string& text) {
    auto parsed = parse_device(text);
    if (!parsed) throw CLI::ValidationError("--device", parsed.error().message());
    choice = std::move(*parsed);
  };
  command.add_option_function<std::string>("--device", parse, "What computes (\"lavascope-engine devices\" lists all)")
      ->type_name("auto|cpu|cuda[:n]|vulkan[:n]")
      ->default_str(device_text(choice));
}

Result<OpenedDevice> open_chosen_device(const DeviceChoice& choice, const CpuOptions& cpu) {
  LAVA_TRY(OpenedDevice opened, open_trusted_device(choice, cpu, own_trust_rules()));
  tell_notice(opened.note);
  return opened;
}

void tell_notice(const std::string& notice) {
  if (!notice.empty()) std::fprintf(stderr, "%s\n", notice.c_str());
}

void add_gpu_layers(CLI::App& command, int& layers, const DeviceChoice& device) {
  const auto parse = [&layers](const std::string& text) {
    int number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text != "auto" && (error != std::errc() || end != text.data() + text.size() || number < 0))
      throw CLI::ValidationError("--gpu-layers", "This is no number of layers: " + text.substr(0, 60) + ". Give a number from 0, or auto");
    layers = text == "auto" ? -1 : number;
  };
  command.add_option_function<std::string>("--gpu-layers", parse, "Layers of the language model that --device computes, the last ones; the processor has the others (auto: all that find room)")
      ->type_name("N|auto");
  command.parse_complete_callback([&layers, &device] {
    if (layers > 0 && device.backend == "cpu")
      throw CLI::ValidationError("--gpu-layers", "There is no device for the layers: the processor computes. Choose one with --device, or leave --gpu-layers out");
  });
}

void add_vision_precision(CLI::App& command, VisionPrecision& precision) {
  static const std::map<std::string, VisionPrecision> names = {
      {"auto", VisionPrecision::automatic}, {"exact", VisionPrecision::exact}, {"int8", VisionPrecision::int8}};
  command.add_option("--vision-precision", precision, "Arithmetic of a vision tower: auto (BF16 where the processor has it), exact, int8 (about half the time of BF16)")
      ->transform(CLI::CheckedTransformer(names))
      ->type_name("auto|exact|int8");
}

void add_kv_choice(CLI::App& command, KvChoice& choice) {
  static const std::map<std::string, KvChoice> names = {{"auto", KvChoice::automatic}, {"f16", KvChoice::f16}, {"int8", KvChoice::int8}};
  command.add_option("--kv", choice, "How keys and values are kept: auto (f16, or int8 where f16 takes more than 1 GiB), f16, int8")
      ->transform(CLI::CheckedTransformer(names))
      ->type_name("auto|f16|int8");
}

Result<std::shared_ptr<const std::string>> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Error::Kind::not_found, "The file cannot be opened", path, "Check the path");
  // The iterators of a buffer throw where reading fails (a folder); the stream itself turns that into its state.
  auto bytes = std::make_shared<std::string>();
  std::string block(size_t{1} << 16, '\0');
  do {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    bytes->append(block.data(), static_cast<size_t>(file.gcount()));
  } while (file);
  if (file.bad()) return fail(Error::Kind::io, "The file cannot be read", path, "Choose an ordinary file");
  return std::shared_ptr<const std::string>(std::move(bytes));
}

void leave(const Error& error) {
  std::fprintf(stderr, "lavascope-engine: %s\n", error.message().c_str());
  std::exit(1);
}

}  // namespace lava::cli
