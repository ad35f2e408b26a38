// Where models and what is made of them lie on this computer.
#pragma once
#include <filesystem>
#include <vector>

namespace lava {

// Folders of downloaded models, best first: $LAVASCOPE_MODELS or else $XDG_DATA_HOME/lavascope/models, then models beside the program.
std::vector<std::filesystem::path> model_stores();
// Folders in which the resources of the program may lie: beside the installed program, or the source tree of a build.
std::vector<std::filesystem::path> resource_folders();

// Where packed weights are kept: "weights" in $LAVASCOPE_CACHE, or else in $XDG_CACHE_HOME/lavascope. Empty: nowhere, as with LAVASCOPE_CACHE=off.
std::filesystem::path weight_pack_folder();
// Where it is noted which devices compute right: "devices" in $XDG_CACHE_HOME/lavascope. Empty: nowhere.
std::filesystem::path device_verdict_folder();

}  // namespace lava
