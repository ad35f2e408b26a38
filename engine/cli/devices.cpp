// `lavascope-engine devices`: what --device may name here.
#include "kernels/devices.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"

namespace lava {
namespace {

void print_table(const DeviceList& list) {
  for (const ListedDevice& one : list.devices) {
    fmt::print("{:<10} {}", one.choice, one.device.name);
    if (one.device.memory > 0) fmt::print(", {:.1f} GB{}", 1e-9 * static_cast<double>(one.device.memory), one.device.integrated ? " of the system's memory" : "");
    if (one.device.software) fmt::print(", played by the processor");
    fmt::print("\n");
  }
  for (const Error& problem : list.problems) fmt::print(stderr, "{}\n", problem.message());
}

void print_json(const DeviceList& list) {
  nlohmann::json report{{"devices", nlohmann::json::array()}, {"problems", nlohmann::json::array()}};
  for (const ListedDevice& one : list.devices)
    report["devices"].push_back(
        {{"choice", one.choice}, {"name", one.device.name}, {"memory", one.device.memory}, {"integrated", one.device.integrated}, {"software", one.device.software}});
  for (const Error& problem : list.problems) report["problems"].push_back(problem.message());
  fmt::print("{}\n", report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

void add_devices_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("devices", "List what can compute here");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON");
  command->callback([json] { *json ? print_json(list_devices()) : print_table(list_devices()); });
}

}  // namespace lava
