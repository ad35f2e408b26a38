// From a request to the rows that the decoder sees.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "engine/core/assistant.h"
#include "engine/core/loaded_model.h"
#include "engine/core/picture_cache.h"
#include "engine/core/prompt.h"
#include "kernels/run.h"

namespace lava {

struct BuiltPrompt {
  Prompt prompt;
  std::vector<std::shared_ptr<const PictureRows>> pictures;  // in the order of the request; the prompt points into them
  std::vector<PictureReport> reports;
  std::vector<int32_t> ids;  // before expansion, with the vocabulary's picture marker where it has one
  int picture_rows = 0;
  double encode_ms = 0;
};

class PromptBuilder {
 public:
  PromptBuilder(const LoadedModel& model, PictureCache& cache) : model_(model), cache_(cache) {}

  // `run` lends the arena that the vision part works in. The prompt leaves at least one position of the context free.
  Result<BuiltPrompt> build(Run& run, const Request& request);

 private:
  struct Encoded {
    std::shared_ptr<const std::string> file;
    std::vector<PictureRegion> regions;
  };
  Result<std::vector<text::PromptPiece>> encode_text(const Request&, std::vector<Encoded>& pictures) const;
  Result<void> check_length(const std::vector<text::PromptPiece>&, const std::vector<Encoded>& pictures) const;
  Result<void> add_pictures(Run&, const Request&, const std::vector<Encoded>& pictures, BuiltPrompt&);
  Result<void> add_picture(Run&, const std::vector<Encoded>& files, size_t index, BuiltPrompt&);
  Result<std::shared_ptr<const PictureRows>> rows_of(Run&, const std::vector<Encoded>& files, size_t index, PictureReport&);
  Result<void> append_text(const std::vector<int32_t>& ids, Prompt&) const;
  void append_picture(const PictureRows& rows, int index, Prompt&);

  const LoadedModel& model_;
  PictureCache& cache_;
};

}  // namespace lava
