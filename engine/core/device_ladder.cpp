#include "engine/core/device_ladder.h"

#include <fmt/format.h>

namespace lava {
namespace {

std::string no_room_at_all(const DeviceInfo& device) {
  return fmt::format("The memory of {} is too small for this model: the processor computes instead.", device.name);
}

// Where the processor has layers beside a device that has others, or pictures alone.
std::string split_notice(const LoadedModel& model, Device& main, const AssistantOptions& options) {
  const int layers = model.text.decoder->config().layers, on_main = model.text.main_layers();
  if (on_main == layers) return {};
  const std::string& name = main.info().name;
  const bool asked = options.gpu_layers >= 0 && on_main == options.gpu_layers;
  const bool sees = model.vision && &model.vision->weights->device() == &main;
  if (on_main > 0)
    return fmt::format("{} of {} layers are computed by {}, the others by the processor, {}.", on_main, layers, name,
                       asked ? "as asked for" : "because its memory is too small for all");
  if (sees)
    return fmt::format("Pictures are encoded by {}, the language model is computed by the processor, {}.", name,
                       asked ? "as asked for" : "because the memory of the former is too small for it");
  return asked ? "All layers are computed by the processor, as asked for." : no_room_at_all(main.info());
}

}  // namespace

Result<std::string> open_on_ladder(Devices devices, const AssistantOptions& options, const OpenStep& open) {
  const bool one_device = &devices.main == &devices.cpu;
  LayerPlan plan = layer_plan(options);
  auto model = open(devices, plan);
  const auto too_small = [&] { return !model && model.error().kind == Error::Kind::out_of_memory && !one_device; };
  for (bool again = false; too_small() && plan.chosen > 0; again = true) {
    plan = {.most = again ? plan.chosen / 2 : plan.chosen - 1, .fit = true};
    model = open(devices, plan);
  }
  if (too_small()) {
    LAVA_TRY(const LoadedModel* alone, open(devices.cpu, plan));
    static_cast<void>(alone);
    return no_room_at_all(devices.main.info());
  }
  if (!model) return tl::unexpected<Error>(model.error());
  return one_device ? std::string() : split_notice(**model, devices.main, options);
}

}  // namespace lava
