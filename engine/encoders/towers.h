// The vision towers that exist, by name.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "engine/encoders/vit_config.h"

namespace lava {

struct TowerKind {
  std::string_view name;         // "clip"
  std::string_view model_type;   // in vision_config, or empty
  std::string_view description;  // one line for the list of parts
  VitConfig (*class_defaults)() = nullptr;                            // what published configurations leave out
  std::optional<VitConfig> (*named)(std::string_view checkpoint) = nullptr;  // outputs empty: the model's configuration chooses
};

std::span<const TowerKind> towers();
const TowerKind* find_tower(std::string_view name_or_model_type);  // nullptr when there is none

VitConfig clip_defaults();
std::optional<VitConfig> clip_named(std::string_view checkpoint);
VitConfig siglip_defaults();
std::optional<VitConfig> siglip_named(std::string_view checkpoint);

}  // namespace lava
