#include "engine/core/parts.h"

#include "engine/connectors/connectors.h"
#include "engine/encoders/towers.h"

namespace lava {
namespace {

constexpr PartInfo partitions[] = {
    {"partition", "single", "one view: padded to a square, cropped or squashed"},
    {"partition", "anyres", "the whole picture and tiles of a grid that fits its shape: LLaVA-NeXT"},
    {"partition", "anyres_max", "as anyres with a limit on rows, larger maps are reduced: LLaVA-OneVision"},
};

}  // namespace

std::vector<PartInfo> list_parts() {
  std::vector<PartInfo> parts;
  for (const TowerKind& kind : towers()) parts.push_back({"encoder", kind.name, kind.description});
  parts.insert(parts.end(), std::begin(partitions), std::end(partitions));
  for (const ConnectorKind& kind : connectors()) parts.push_back({"connector", kind.name, kind.description});
  return parts;
}

}  // namespace lava
