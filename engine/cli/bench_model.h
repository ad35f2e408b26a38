// The files to measure: those that were named, or made for the moment and removed afterwards, also when the program is interrupted.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "engine/cli/bench.h"
#include "engine/core/assistant.h"
#include "engine/media/picture.h"

namespace lava::bench {

class Model {
 public:
  enum class Half : uint8_t { text, vision, both };  // of a shape that sees
  static Result<Model> get(const Settings& settings, Half half);

  Model(Model&& other) noexcept;
  Model& operator=(Model&&) = delete;
  ~Model();

  const std::string& path() const { return path_; }

 private:
  Model() = default;
  Result<void> make(const Settings& settings, Half half);
  Result<void> add(const std::string& shape, const std::string& format, const std::string& file, int text_width);

  std::string path_;
  std::filesystem::path folder_;  // empty: nothing to remove
};

// An assistant with the model, as the settings say.
AssistantOptions options_of(const Settings& settings, const Model& model);

// The files that an assistant of these options reads its weights from.
Result<std::vector<std::filesystem::path>> weight_files(const AssistantOptions& options);

// The picture that was named, or one of 640 x 480 with something everywhere.
Result<media::Picture> picture_of(const Settings& settings);

}  // namespace lava::bench
