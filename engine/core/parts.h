// What a model can be put together from: the parts that are registered, for people and for the window's menus.
#pragma once
#include <string_view>
#include <vector>

namespace lava {

struct PartInfo {
  std::string_view kind;         // "encoder", "partition", "connector"
  std::string_view name;         // as it stands in model.json or in the settings of a model
  std::string_view description;  // one line
};

std::vector<PartInfo> list_parts();

}  // namespace lava
