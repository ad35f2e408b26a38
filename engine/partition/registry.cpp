#include <fmt/format.h>

#include "engine/partition/methods.h"

namespace lava {
namespace {

struct Method {
  std::string_view name;
  std::unique_ptr<Partitioner> (*make)(const PartitionConfig&);
  bool tiles;
};

constexpr Method methods[] = {{"single", make_single, false}, {"anyres", make_anyres, true}, {"anyres_max", make_anyres_max, true}};

}  // namespace

Result<std::unique_ptr<Partitioner>> make_partitioner(const PartitionConfig& config) {
  for (const Method& method : methods) {
    if (method.name != config.method) continue;
    if (config.side < 1 || (method.tiles && config.resolutions.empty()))
      return fail(Error::Kind::invalid, "The model does not say how pictures are cut",
                  "the size of its views or the tile sizes are missing");
    return method.make(config);
  }
  return fail(Error::Kind::unsupported, "Pictures cannot be cut the way this model needs",
              fmt::format("the method {} is not known", config.method));
}

std::vector<std::string> partitioner_names() {
  std::vector<std::string> names;
  for (const Method& method : methods) names.emplace_back(method.name);
  return names;
}

}  // namespace lava
