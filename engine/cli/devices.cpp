// `lavascope-engine devices`: what --device may name here, and why it may not name more.
#include "kernels/devices.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"

namespace lava {
namespace {

std::string auto_choice(const DeviceList& list) { return auto_order(list.devices).front().choice; }

std::string what_auto_does(const DeviceList& list) {
  const std::string first = auto_choice(list);
  return first == "cpu" ? "Without it, as with --device auto, the processor computes." : fmt::format("Without it, --device auto tries {} first, and uses it once it has passed a check.", first);
}

std::string line_of(const ListedDevice& one) {
  std::string line = fmt::format("{:<10} {}", one.choice, one.device.name);
  if (one.device.memory > 0) line += fmt::format(", {:.1f} GB{}", 1e-9 * static_cast<double>(one.device.memory), one.device.integrated ? " of the system's memory" : "");
  if (one.device.software) line += ", played by the processor: slower than it, and auto passes it over";
  return line;
}

// Why a backend lists nothing: asked to open one, it says so. One that cannot be used has said so already.
std::vector<std::string> absences(const DeviceList& list) {
  std::vector<std::string> absent;
  for (const char* backend : {"cuda", "vulkan"}) {
    if (std::any_of(list.devices.begin(), list.devices.end(), [&](const ListedDevice& one) { return one.choice.starts_with(backend); })) continue;
    const auto opened = open_device({backend});
    if (opened) continue;
    const Error& why = opened.error();
    const bool told = std::any_of(list.problems.begin(), list.problems.end(), [&](const Error& problem) { return problem.message() == why.message(); });
    if (!told) absent.push_back(Error{why.kind, why.what, why.cause, {}}.message());  // its remedy is this list
  }
  return absent;
}

void print_table(const DeviceList& list) {
  for (const ListedDevice& one : list.devices) fmt::print("{}\n", line_of(one));
  fmt::print("\n");
  for (const std::string& reason : absences(list)) fmt::print("{}\n", reason);
  fmt::print("Choose with --device, as in --device {}. {}\n", list.devices.front().choice, what_auto_does(list));
  std::fflush(stdout);
  for (const Error& problem : list.problems) fmt::print(stderr, "{}\n", problem.message());
}

void print_json(const DeviceList& list) {
  nlohmann::json report{{"devices", nlohmann::json::array()}, {"problems", nlohmann::json::array()}, {"absent", absences(list)}, {"auto", auto_choice(list)}};
  for (const ListedDevice& one : list.devices)
    report["devices"].push_back(
        {{"choice", one.choice}, {"name", one.device.name}, {"memory", one.device.memory}, {"integrated", one.device.integrated}, {"software", one.device.software},
         {"driver", one.device.driver}, {"module", one.module.string()}});
  for (const Error& problem : list.problems) report["problems"].push_back(problem.message());
  fmt::print("{}\n", report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

void add_devices_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("devices", "List what can compute here: what --device may name");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON");
  command->callback([json] { *json ? print_json(list_devices()) : print_table(list_devices()); });
}

}  // namespace lava
