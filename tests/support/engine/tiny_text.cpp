#include "tests/support/engine/tiny_text.h"

#include "engine/io/gguf.h"
#include "engine/io/json_file.h"
#include "engine/io/safetensors.h"
#include "tests/support/engine/goldens.h"
#include "tests/support/engine/sealed_device.h"

namespace lava::test {

Result<TinyText> load_tiny_text(const std::filesystem::path& path, const TinyOptions& options) {
  LAVA_TRY(auto device, make_test_device(options.threads));
  return load_tiny_text(std::move(device), path, options);
}

Result<TextFile> open_text(const std::filesystem::path& path) {
  TextFile text;
  if (path.extension() == ".gguf") {
    LAVA_TRY(auto file, io::Gguf::open(path));
    LAVA_TRY(text.config, read_gguf_text_config(*file));
    text.source = std::move(file);
  } else {
    LAVA_TRY(const auto json, io::read_json(path / "config.json"));
    LAVA_TRY(text.config, read_hf_text_config(json));
    LAVA_TRY(text.source, io::Safetensors::open(path));
  }
  return text;
}

Result<TinyText> load_tiny_text(std::unique_ptr<Device> device, const std::filesystem::path& path, const TinyOptions& options) {
  TinyText tiny;
  tiny.device = std::move(device);
  tiny.weights = std::make_unique<Weights>(*tiny.device);
  LAVA_TRY(TextFile text, open_text(path));
  tiny.source = std::move(text.source);
  LAVA_TRY(tiny.decoder, Decoder::load(*tiny.weights, *tiny.source, text.config, {options.context, options.precision}));
  return tiny;
}

Prompt prompt_of(const std::vector<int32_t>& ids) {
  Prompt prompt;
  for (const int32_t id : ids) {
    prompt.info.push_back({.token = id, .position = prompt.size()});
    prompt.embeddings.push_back(nullptr);
    prompt.keys.push_back({0, id});
  }
  return prompt;
}

std::vector<int32_t> greedy_steps(TextRunner& runner, int count) {
  std::vector<int32_t> ids;
  for (int i = 0; i < count; ++i) {
    ids.push_back(best_id(runner.logits()));
    if (i + 1 < count && !runner.step(ids.back())) return {};
  }
  return ids;
}

}  // namespace lava::test
