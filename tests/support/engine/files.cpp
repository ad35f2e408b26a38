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

namespace {

std::string with_header(const nlohmann::json& header) {
  const std::string text = header.dump();
  const uint64_t length = text.size();
  std::string file(sizeof(length), '\0');
  std::memcpy(file.data(), &length, sizeof(length));
  return file + text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const TensorShapes& tensors, float value) {
  nlohmann::json header;
  size_t at = 0;
  for (const auto& [name, shape] : tensors) {
    size_t bytes = sizeof(float);
    for (const int64_t extent : shape) bytes *= static_cast<size_t>(extent);
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  std::string file = with_header(header);
  for (size_t i = 0; i < at; i += sizeof(float)) file.append(reinterpret_cast<const char*>(&value), sizeof(value));
  write_text(path, file);
}

void rename_tensors(const std::filesystem::path& from, const std::filesystem::path& to,
                    const std::function<std::string(const std::string&)>& rename) {
  std::ifstream stream(from, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof(length));
  const nlohmann::json old = nlohmann::json::parse(file.substr(sizeof(length), length));
  nlohmann::json header;
  for (const auto& [name, entry] : old.items()) header[name == "__metadata__" ? name : rename(name)] = entry;
  write_text(to, with_header(header) + file.substr(sizeof(length) + length));
}

}  // namespace lava::test
