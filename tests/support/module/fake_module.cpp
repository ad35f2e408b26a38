// A backend as the program finds it beside itself: its devices are sealed ones (tests/support/engine/sealed_device.h). What goes wrong is
// chosen by LAVA_FAKE_DEVICES (none, error, software, unopened; crash, hang: already when listing), LAVA_FAKE_CARD ("cuda=glu,vulkan=crash":
// crash or hang when opened, or the op that computes wrong) and LAVA_FAKE_LOSE (the action at which the device is lost). LAVA_FAKE_DRIVER is
// its driver's version; LAVA_FAKE_LOG names a file that gets a line for every opening.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "kernels/module.h"
#include "tests/support/engine/sealed_device.h"

namespace lava::test {
namespace {

std::string_view wanted() {
  const char* text = std::getenv("LAVA_FAKE_DEVICES");
  return text ? text : "";
}

std::string text_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text ? text : "";
}

// What LAVA_FAKE_CARD says of this backend.
std::string fault() {
  const std::string all = text_of("LAVA_FAKE_CARD") + ",", own = FAKE_BACKEND "=";
  const size_t at = all.find(own);
  return at == std::string::npos ? "" : all.substr(at + own.size(), all.find(',', at) - at - own.size());
}

void crash_or_hang(std::string_view how) {
  if (how == "crash") std::abort();
  while (how == "hang") ::pause();
}

Result<std::vector<ModuleDevice>> list() {
  crash_or_hang(wanted());
  if (wanted() == "none") return std::vector<ModuleDevice>();
  if (wanted() == "error") return fail(Error::Kind::unsupported, "The driver does not answer", "it is of the year 1999", "Update it");
  const std::string driver = text_of("LAVA_FAKE_DRIVER");
  const ModuleDevice software{.name = "Software of " FAKE_BACKEND, .software = true, .driver = driver};
  if (wanted() == "software") return std::vector<ModuleDevice>{software};
  return std::vector<ModuleDevice>{software, {.name = "Card of " FAKE_BACKEND, .memory = uint64_t{8} << 30, .driver = driver}};
}

Result<std::unique_ptr<Device>> open(int index) {
  if (wanted() == "unopened") return fail(Error::Kind::out_of_memory, "The card is full", "another program holds it");
  if (const std::string log = text_of("LAVA_FAKE_LOG"); !log.empty()) std::ofstream(log, std::ios::app) << FAKE_BACKEND "\n";
  crash_or_hang(fault());
  SealedOptions options;
  options.wrong_op = fault(), options.limits_told = false, options.threads = 1;
  if (const char* lose = std::getenv("LAVA_FAKE_LOSE")) options.lose_at = std::atoll(lose);
  LAVA_TRY(auto device, SealedDevice::create(options));
  device->set_name(index == 0 ? "Software of " FAKE_BACKEND : "Card of " FAKE_BACKEND, FAKE_BACKEND);
  return std::unique_ptr<Device>(std::move(device));
}

constexpr DeviceModule fake{FAKE_ABI, FAKE_BACKEND, list, open};

}  // namespace
}  // namespace lava::test

extern "C" __attribute__((visibility("default"))) const lava::DeviceModule* lava_device_module() { return &lava::test::fake; }
