// The connectors that exist, by name.
#pragma once
#include <span>
#include <string_view>

namespace lava {

struct ConnectorKind {
  std::string_view name;
  std::string_view description;  // one line for the list of parts
};

std::span<const ConnectorKind> connectors();

}  // namespace lava
