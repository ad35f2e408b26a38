// Opens what computes; a device that was not asked for by name must first have shown that it computes right on this computer.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>

#include "kernels/devices.h"

namespace lava {

struct TrustRules {
  // lavascope-engine, which is run to check a device. Empty: none can be checked, and auto is the processor.
  std::filesystem::path program;
  std::filesystem::path verdicts;  // folder of what was found, so that it is found once for a device and its driver; empty: kept nowhere
  std::chrono::milliseconds list_limit = std::chrono::seconds(30), check_limit = std::chrono::seconds(120);
  std::function<void(const char*)> on_wait;  // what is being done, before anything that takes long
};

// Of this program, which is lavascope-engine. $LAVASCOPE_DEVICE_CHECK_SECONDS limits a check.
TrustRules own_trust_rules();

// auto: CUDA, then Vulkan, then the processor. `note` tells in one sentence each why a device is left unused that is there.
Result<OpenedDevice> open_trusted_device(const DeviceChoice& choice, const CpuOptions& cpu, const TrustRules& rules);

}  // namespace lava
