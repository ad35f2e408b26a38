// Asks the drivers of this computer what they have and can do, in a child process each time: one that crashes or hangs takes only that.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/devices/verdicts.h"
#include "kernels/devices.h"

namespace lava {

struct ChildRules {
  std::filesystem::path program;         // lavascope-engine
  std::chrono::milliseconds list_limit;  // for naming all devices
  std::chrono::milliseconds check_limit; // for the check of one
};

// How a child ended that a driver could bring down.
struct Asked {
  enum class Outcome { answered, failed, undecided } outcome = Outcome::undecided;  // undecided: it may well be otherwise the next time
  std::string why;  // unless it answered: a sentence
};

struct AskedDevices : Asked {
  std::vector<ListedDevice> devices;  // the processor last
  std::vector<std::string> problems;  // sentences about backends that are there and cannot be used
};
AskedDevices ask_for_devices(const ChildRules& rules);
// Asked::answered: its operations compute right.
Asked check_device(const ChildRules& rules, const ListedDevice& device);

}  // namespace lava
