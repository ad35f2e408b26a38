// The steps of a tokenizer.json, read one by one. A kind this program does not know is an error that names it.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/text/pipeline_tokenizer.h"

namespace lava::text {

struct PostProcessing {
  std::optional<std::string> first_token, last_token;  // what a template puts around one text
};

Result<void> read_normalizer(const nlohmann::json& step, std::vector<NormalizerStep>& out, int depth = 0);
Result<void> read_pre_tokenizer(const nlohmann::json& step, std::vector<SplitStep>& out, int depth = 0);
Result<void> read_decoder(const nlohmann::json& step, DecodePlan& plan, int depth = 0);
Result<void> read_post_processor(const nlohmann::json& step, PostProcessing& out, int depth = 0);

// Whether a step of the given kind stands anywhere in a (possibly nested) sequence.
bool has_step(const nlohmann::json& step, std::string_view kind, int depth = 0);

}  // namespace lava::text
