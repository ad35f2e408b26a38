// A language model from a folder or GGUF file, loaded without the rest of an assistant.
#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "engine/core/text_runner.h"
#include "engine/core/weights.h"
#include "engine/io/tensor_source.h"

namespace lava::test {

struct TinyText {
  std::unique_ptr<Device> device;
  std::unique_ptr<io::TensorSource> source;
  std::unique_ptr<Weights> weights;
  std::unique_ptr<Decoder> decoder;
};

struct TinyOptions {
  Precision precision = Precision::exact;
  int context = 256;
  int threads = 2;
};

// The files alone.
struct TextFile {
  std::unique_ptr<io::TensorSource> source;
  TextConfig config;
};
Result<TextFile> open_text(const std::filesystem::path& path);

// On the processor, or on what LAVA_TEST_DEVICE names.
Result<TinyText> load_tiny_text(const std::filesystem::path& path, const TinyOptions& options = {});
Result<TinyText> load_tiny_text(std::unique_ptr<Device> device, const std::filesystem::path& path, const TinyOptions& options = {});
Prompt prompt_of(const std::vector<int32_t>& ids);
// 32 greedy tokens after a prefill.
std::vector<int32_t> greedy_steps(TextRunner& runner, int count);

}  // namespace lava::test
