// The real model behind the server.
#pragma once
#include <memory>

#include "engine/server/server.h"
#include "kernels/device.h"

namespace lava::server {

struct ModelChoice {
  AssistantOptions assistant;
  CpuOptions cpu;
};
// Opens the device and the model; to be called on the thread that will answer.
Result<std::unique_ptr<Answerer>> make_assistant_answerer(const ModelChoice& choice, const Progress& progress);

}  // namespace lava::server
