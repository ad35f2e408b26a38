#include "tests/support/engine/files.h"

#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>

namespace lava::test {

TemporaryFolder::TemporaryFolder() {
  static std::atomic<int> count{0};
  path_ = std::filesystem::temp_directory_path() / ("lavascope-test-" + std::to_string(getpid()) + "-" + std::to_string(count++));
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

void write_safetensors(const std::filesystem::path& path, const TensorShapes& tensors, float value) {
  nlohmann::json header;
  size_t at = 0;
  for (const auto& [name, shape] : tensors) {
    size_t bytes = sizeof(float);
    for (const int64_t extent : shape) bytes *= static_cast<size_t>(extent);
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  const std::string text = header.dump();
  std::string file(sizeof(uint64_t), '\0');
  const uint64_t length = text.size();
  std::memcpy(file.data(), &length, sizeof(length));
  file += text;
  for (size_t i = 0; i < at; i += sizeof(float)) file.append(reinterpret_cast<const char*>(&value), sizeof(value));
  write_text(path, file);
}

}  // namespace lava::test
