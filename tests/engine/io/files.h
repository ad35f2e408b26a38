// Files of these tests: fixtures, temporary copies, and the byte pattern of tests/goldens/make_io_cases.py.
#pragma once
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace lava::io::test {

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(LAVA_SOURCE_DIR) / "tests/fixtures/io" / name;
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline uint8_t pattern(size_t i, size_t tensor) { return static_cast<uint8_t>(i * 7 + tensor * 13 + (i >> 8)); }

inline bool follows_pattern(std::span<const std::byte> bytes, size_t tensor) {
  for (size_t i = 0; i < bytes.size(); ++i)
    if (std::to_integer<uint8_t>(bytes[i]) != pattern(i, tensor)) return false;
  return true;
}

// Every byte is touched, so that a wrong range shows under the sanitizer or as a fault.
inline unsigned walk(std::span<const std::byte> bytes) {
  unsigned sum = 0;
  for (const std::byte b : bytes) sum += std::to_integer<unsigned>(b);
  return sum;
}

// An empty folder that goes away with the object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "lava-io-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace lava::io::test
