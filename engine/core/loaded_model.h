// Everything that was read from a model's files, ready to run.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/adapters/adapter.h"
#include "engine/core/assistant.h"
#include "engine/core/model_files.h"
#include "engine/core/split_decoder.h"
#include "engine/core/vision_part.h"
#include "engine/core/weight_pack_keeper.h"
#include "engine/text/chat_format.h"
#include "engine/text/tokenizer.h"
#include "kernels/devices.h"

namespace lava {

struct LoadedAdapter {
  std::unique_ptr<Adapter> adapter;
  bool when_picture = false;
};

// How many of the last layers of the language model the main device is given, where that is not the processor.
struct LayerPlan {
  int most = -1;     // at most so many; -1: all
  bool fit = true;   // fewer where they find no room
  int chosen = -1;   // by load_model(), also when it fails; -1: it did not come so far
};

struct LoadedModel {
  ModelFiles files;
  std::unique_ptr<io::TensorSource> source;  // the decoder's weights may lie in it
  SplitDecoder text;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::optional<VisionPart> vision;
  std::vector<LoadedAdapter> adapters;
  const text::ChatFormat* chat = nullptr;    // nullptr: unknown, raw prompts only
  std::string chat_error;                    // why
  std::vector<int32_t> end_ids;              // tokens that end an answer
  std::vector<bool> masked;                  // ids that are never sampled
  int32_t image_id = -1;                     // the vocabulary's own marker of a picture, or -1
  std::string architecture, weight_formats;  // "llama", "Q4_1, F32"
  bool exact = false;

  std::vector<const Adapter*> all_adapters() const;
  std::vector<const PackedSource*> packed_sources() const;
  std::string grounding() const;  // "none", "boxes", "marks"
};

using LoadProgress = std::function<void(double, const char*)>;
// Begins to keep the model's packed weights on disk; nullptr where none are kept.
std::unique_ptr<WeightPackKeeper> keep_packs(const LoadedModel& model, const AssistantOptions& options);
Result<LoadedModel> load_model(Devices devices, const AssistantOptions& options, const LoadProgress& progress, LayerPlan& plan);
// As the options plan.
Result<LoadedModel> load_model(Devices devices, const AssistantOptions& options, const LoadProgress& progress);
LayerPlan layer_plan(const AssistantOptions& options);

}  // namespace lava
