// config.json of the connector that speaks of objects: vocabularies, and rules for what counts as one.
#pragma once
#include <nlohmann/json.hpp>

#include "engine/connectors/object_words.h"
#include "engine/encoders/ssd_boxes.h"

namespace lava {

Result<ssd::Rules> read_proposal_rules(const nlohmann::json& config);
Result<ObjectWordsConfig> read_object_words(const nlohmann::json& config);

}  // namespace lava
