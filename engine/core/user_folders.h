// Where models lie on this computer.
#pragma once
#include <filesystem>
#include <vector>

namespace lava {

// Folders of downloaded models, best first: $LAVASCOPE_MODELS or else $XDG_DATA_HOME/lavascope/models, then models beside the program.
std::vector<std::filesystem::path> model_stores();
// Folders in which the resources of the program may lie: beside the installed program, or the source tree of a build.
std::vector<std::filesystem::path> resource_folders();

}  // namespace lava
