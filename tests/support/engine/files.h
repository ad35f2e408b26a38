// Files that tests write.
#pragma once
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace lava::test {

// A folder that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void write_text(const std::filesystem::path& path, const std::string& text);
// All tensors float32, filled with `value`.
using TensorShapes = std::vector<std::pair<std::string, std::vector<int64_t>>>;
void write_safetensors(const std::filesystem::path& path, const TensorShapes& tensors, float value = 0.01f);

// A copy of a safetensors file with other names.
void rename_tensors(const std::filesystem::path& from, const std::filesystem::path& to,
                    const std::function<std::string(const std::string&)>& rename);

}  // namespace lava::test
