// A backend as the program finds it beside itself: its devices are sealed ones (tests/support/engine/sealed_device.h). What goes wrong is
// chosen by LAVA_FAKE_DEVICES (none, error, software, unopened) and LAVA_FAKE_LOSE (the action at which the device is lost).
#include <cstdlib>
#include <string_view>

#include "kernels/module.h"
#include "tests/support/engine/sealed_device.h"

namespace lava::test {
namespace {

std::string_view wanted() {
  const char* text = std::getenv("LAVA_FAKE_DEVICES");
  return text ? text : "";
}

Result<std::vector<ModuleDevice>> list() {
  if (wanted() == "none") return std::vector<ModuleDevice>();
  if (wanted() == "error") return fail(Error::Kind::unsupported, "The driver does not answer", "it is of the year 1999", "Update it");
  const ModuleDevice software{.name = "Software of " FAKE_BACKEND, .software = true};
  if (wanted() == "software") return std::vector<ModuleDevice>{software};
  return std::vector<ModuleDevice>{software, {.name = "Card of " FAKE_BACKEND, .memory = uint64_t{8} << 30}};
}

Result<std::unique_ptr<Device>> open(int index) {
  if (wanted() == "unopened") return fail(Error::Kind::out_of_memory, "The card is full", "another program holds it");
  SealedOptions options;
  if (const char* lose = std::getenv("LAVA_FAKE_LOSE")) options.lose_at = std::atoll(lose);
  LAVA_TRY(auto device, SealedDevice::create(options));
  device->set_name(index == 0 ? "Software of " FAKE_BACKEND : "Card of " FAKE_BACKEND, FAKE_BACKEND);
  return std::unique_ptr<Device>(std::move(device));
}

constexpr DeviceModule fake{FAKE_ABI, FAKE_BACKEND, list, open};

}  // namespace
}  // namespace lava::test

extern "C" __attribute__((visibility("default"))) const lava::DeviceModule* lava_device_module() { return &lava::test::fake; }
