// Opens a model on a device that may be too small for it: with fewer and fewer layers, in the end on the processor alone.
#pragma once
#include <functional>
#include <string>

#include "engine/core/loaded_model.h"

namespace lava {

// Opens all that is needed where it is told, as far as it is told; the model must stay at its address until open_on_ladder() returns.
using OpenStep = std::function<Result<const LoadedModel*>(Devices where, LayerPlan& plan)>;

// Steps down while memory is too small. The result: what the user should know of what was given up or asked for, or empty.
Result<std::string> open_on_ladder(Devices devices, const AssistantOptions& options, const OpenStep& open);

}  // namespace lava
