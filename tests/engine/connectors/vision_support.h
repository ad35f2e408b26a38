// Running vision parts on fixtures.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/core/open_vision.h"
#include "engine/io/json_file.h"
#include "kernels/device.h"

namespace lava::testing {

inline std::filesystem::path fixtures() { return std::filesystem::path(LAVA_SOURCE_DIR) / "tests/fixtures"; }
inline std::filesystem::path resources() { return std::filesystem::path(LAVA_SOURCE_DIR) / "resources/models"; }

// The value, or a failed test with the message.
template <class T>
T take(Result<T> result, const char* what = "") {
  if (!result) throw std::runtime_error(std::string(what) + result.error().message());
  return std::move(*result);
}

inline Device& cpu() {
  static const std::unique_ptr<Device> device = take(make_cpu_device({.threads = 2, .isa = "", .pin = false}));
  return *device;
}

// Memory for one run; a part that needs more than it said aborts the test.
class Workspace {
 public:
  explicit Workspace(size_t bytes) : memory_(take(cpu().allocate(bytes + Arena::alignment))), arena_(memory_->data(), bytes) {}
  Run run(const std::atomic<bool>* cancel = nullptr) { return {cpu(), arena_, nullptr, cancel}; }

 private:
  std::unique_ptr<Buffer> memory_;
  Arena arena_;
};

inline PictureRows encode(const VisionPart& part, const media::Picture& picture, int pictures_in_prompt = 1) {
  Workspace space(take(part.arena_bytes()));
  Run run = space.run();
  return take(part.encode(run, picture, pictures_in_prompt, {"content", {}}));
}

inline nlohmann::json read_json(const std::filesystem::path& path) { return take(io::read_json(path)); }

// Largest difference of two row blocks of the same shape.
inline float difference(const PictureRows& a, const PictureRows& b) {
  if (a.rows.size() != b.rows.size()) return std::numeric_limits<float>::infinity();
  float most = 0;
  for (size_t i = 0; i < a.rows.size(); ++i) most = std::max(most, std::abs(a.rows[i] - b.rows[i]));
  return most;
}

// A scratch folder that goes away with the object.
class Folder {
 public:
  Folder() {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() / ("lavascope-vision-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path_ / name, std::ios::binary) << text; }
  void copy(const std::filesystem::path& file) const { std::filesystem::copy_file(file, path_ / file.filename()); }

 private:
  std::filesystem::path path_;
};

}  // namespace lava::testing
