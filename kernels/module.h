// A backend in a shared library of its own, opened at run time: a machine without its driver never loads it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/device.h"

namespace lava {

struct ModuleDevice {
  std::string name;         // "NVIDIA H200"
  uint64_t memory = 0;      // bytes of its own
  bool integrated = false;  // its memory is the processor's
  bool software = false;    // computed by the processor: never chosen unasked
  std::string driver = {};  // its version, other after every update
};

struct DeviceModule {
  uint32_t abi;         // module_abi of the headers that it was compiled with
  const char* backend;  // "vulkan", "cuda"
  Result<std::vector<ModuleDevice>> (*list)();  // empty: no such device here; an error says why the driver does not answer
  Result<std::unique_ptr<Device>> (*open)(int index);
};

// Raised with every change of device.h, op.h, step_params.h or an argument struct: module and program must agree in every byte.
inline constexpr uint32_t module_abi = 4;
// The one name that a module exports: extern "C" const lava::DeviceModule* lava_device_module().
inline constexpr const char* module_entry = "lava_device_module";

}  // namespace lava
