// `lavascope-engine parts`: what models can be put together from.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/cli/commands.h"
#include "engine/core/parts.h"

namespace lava {
namespace {

void print(bool json) {
  if (json) {
    nlohmann::json list = nlohmann::json::array();
    for (const PartInfo& part : list_parts()) list.push_back({{"kind", part.kind}, {"name", part.name}, {"description", part.description}});
    fmt::print("{}\n", list.dump());
    return;
  }
  for (const PartInfo& part : list_parts()) fmt::print("{:<10} {:<22} {}\n", part.kind, part.name, part.description);
}

}  // namespace

void add_parts_command(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("parts", "List the parts that models can be put together from");
  command->add_flag("--json", *json, "Print JSON");
  command->callback([json] { print(*json); });
}

}  // namespace lava
