// Logits as a NumPy array [positions, vocabulary] of float32, for comparing with other programs.
#pragma once
#include <filesystem>

#include "engine/io/new_file.h"

namespace lava::cli {

class LogitsFile {
 public:
  // Removed again when the program is interrupted before finish().
  static Result<LogitsFile> create(const std::filesystem::path& path, size_t positions, size_t vocabulary);
  Result<void> append(const float* values, size_t count);
  Result<void> finish() { return file_.finish(); }

 private:
  explicit LogitsFile(io::NewFile file) : file_(std::move(file)) {}
  io::NewFile file_;
};

}  // namespace lava::cli
