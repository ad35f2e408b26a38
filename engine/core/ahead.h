// Which question a preparation was made for.
#pragma once
#include "engine/core/assistant.h"

namespace lava {

// Whether all that Assistant::prepare(ahead) computes is the beginning of the question's prompt.
bool prepares(const Request& ahead, const Request& question);

}  // namespace lava
