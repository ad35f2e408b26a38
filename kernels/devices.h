// What can compute here: the processor, and the devices of modules (kernels/module.h) that lie beside the program.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/device.h"
#include "kernels/module.h"

namespace lava {

struct DeviceChoice {
  std::string backend = "auto";  // "auto", "cpu", or that of a module
  int index = -1;                // in the module's list; -1: its best
};

// "auto", "cpu", "cuda", "cuda:1", "vulkan", "vulkan:0"
Result<DeviceChoice> parse_device(std::string_view text);
// The same back.
std::string device_text(const DeviceChoice& choice);

// Where a model lives: `main` computes, and `cpu` what the host does between ops. One device may be both.
struct Devices {
  Devices(Device& only) : main(only), cpu(only) {}
  Devices(Device& main, Device& cpu) : main(main), cpu(cpu) {}
  Device& main;
  Device& cpu;
};

struct OpenedDevice {
  std::unique_ptr<Device> cpu;     // always there: some parts compute on it between ops
  std::unique_ptr<Device> module;  // the one of a module where that was chosen, else nullptr
  std::string note;                // for people: why auto leaves a device unused that is there

  Devices devices() const { return {module ? *module : *cpu, *cpu}; }
};

// auto: CUDA, then Vulkan (no device that the processor plays), then the processor. A module or driver that is not there is no error then.
Result<OpenedDevice> open_device(const DeviceChoice& choice, const CpuOptions& cpu = {});

struct ListedDevice {
  std::string choice;  // for parse_device
  ModuleDevice device;
  std::filesystem::path module = {};  // the file that brings it; of the processor: none
};
struct DeviceList {
  std::vector<ListedDevice> devices;  // the processor last
  std::vector<Error> problems;        // of modules that are there and cannot be used
};
DeviceList list_devices();
// What auto tries, in this order: of every backend the first that is no processor in disguise, then the processor.
std::vector<ListedDevice> auto_order(std::span<const ListedDevice> listed);

// Where modules are looked for: $LAVASCOPE_MODULES alone when it is set, else ../lib/lavascope beside the program and the program's own folder.
std::vector<std::filesystem::path> module_folders();

}  // namespace lava
