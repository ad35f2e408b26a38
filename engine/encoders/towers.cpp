#include "engine/encoders/towers.h"

namespace lava {
namespace {

constexpr TowerKind kinds[] = {
    {"clip", "clip_vision_model", "CLIP vision transformer: LLaVA-1.5, LLaVA-NeXT", clip_defaults, clip_named},
    {"siglip", "siglip_vision_model", "SigLIP vision transformer: LLaVA-OneVision", siglip_defaults, siglip_named},
    {"detector_regions", "", "SSDLite-MobileNetV2 finds regions, EfficientNet-Lite0 (ImageNet) looks at each: the default model", nullptr, nullptr},
};

}  // namespace

std::span<const TowerKind> towers() { return kinds; }

const TowerKind* find_tower(std::string_view name) {
  for (const TowerKind& kind : kinds)
    if (name == kind.name || (!kind.model_type.empty() && name == kind.model_type)) return &kind;
  return nullptr;
}

}  // namespace lava
