// The real model behind the server.
#pragma once
#include <memory>

#include "engine/devices/trusted_device.h"
#include "engine/server/server.h"

namespace lava::server {

struct ModelChoice {
  AssistantOptions assistant;
  DeviceChoice device;
  TrustRules trust;  // of a device that was not asked for by name
  CpuOptions cpu;
  std::function<void()> on_device_lost;  // on the model's thread, before the request's error is told: nothing works here any more
};
// Opens the device and the model; to be called on the thread that will answer.
Result<std::unique_ptr<Answerer>> make_assistant_answerer(const ModelChoice& choice, const Progress& progress);

}  // namespace lava::server
