// What several commands share.
#pragma once
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "engine/core/assistant.h"
#include "kernels/devices.h"

namespace lava::cli {

// --model, --mmproj, --adapter, --context, --exact / --fast, --kv, --device, --gpu-layers, --threads
struct ModelOptions {
  AssistantOptions assistant;
  DeviceChoice device{"cpu"};
  CpuOptions cpu;
};
void add_kv_choice(CLI::App& command, KvChoice& choice);
void add_model_options(CLI::App& command, ModelOptions& options, bool exact_by_default);

// --device auto|cpu|cuda[:n]|vulkan[:n]; its default is what `choice` holds
void add_device(CLI::App& command, DeviceChoice& choice);
// --gpu-layers N|auto: AssistantOptions::gpu_layers. N > 0 is refused beside the processor alone.
void add_gpu_layers(CLI::App& command, int& layers, const DeviceChoice& device);
// What --device chose, as `serve` opens it: auto takes what has passed its check. Notices are told.
Result<OpenedDevice> open_chosen_device(const DeviceChoice& choice, const CpuOptions& cpu);
// What the user should know though everything works, on the error output; nothing where it is empty.
void tell_notice(const std::string& notice);
// --vision-precision auto|exact|int8
void add_vision_precision(CLI::App& command, VisionPrecision& precision);

Result<std::shared_ptr<const std::string>> read_file(const std::string& path);
// Prints the error's sentence and ends the program with status 1.
[[noreturn]] void leave(const Error& error);
template <class T>
T or_leave(Result<T> result) {
  if (!result) leave(result.error());
  return std::move(*result);
}

}  // namespace lava::cli
