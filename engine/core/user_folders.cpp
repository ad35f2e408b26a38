#include "engine/core/user_folders.h"

#include <cstdlib>
#include <string_view>

namespace lava {
namespace {

namespace fs = std::filesystem;

// An absolute path from the environment, or nothing.
fs::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  const fs::path path = value ? value : "";
  return path.is_absolute() ? path : fs::path();
}

fs::path program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path() : program.parent_path();
}

fs::path cache_folder(const char* name) {
  if (const fs::path cache = from_environment("XDG_CACHE_HOME"); !cache.empty()) return cache / "lavascope" / name;
  if (const fs::path home = from_environment("HOME"); !home.empty()) return home / ".cache/lavascope" / name;
  return {};
}

[[maybe_unused]] bool is_inside(const fs::path& path, const fs::path& folder) {
  const std::string text = path.string(), start = folder.string() + "/";
  return !folder.empty() && text.starts_with(start);
}

}  // namespace

std::vector<fs::path> model_stores() {
  std::vector<fs::path> stores;
  if (const fs::path chosen = from_environment("LAVASCOPE_MODELS"); !chosen.empty()) {
    stores.push_back(chosen);
  } else if (const fs::path data = from_environment("XDG_DATA_HOME"); !data.empty()) {
    stores.push_back(data / "lavascope/models");
  } else if (const fs::path home = from_environment("HOME"); !home.empty()) {
    stores.push_back(home / ".local/share/lavascope/models");
  }
  for (const fs::path& resources : resource_folders()) stores.push_back(resources / "models");
  return stores;
}

fs::path weight_pack_folder() {
  const char* wish = std::getenv("LAVASCOPE_CACHE");
  if (wish && std::string_view(wish) == "off") return {};
  if (const fs::path chosen = from_environment("LAVASCOPE_CACHE"); !chosen.empty()) return chosen / "weights";
  return cache_folder("weights");
}

fs::path device_verdict_folder() { return cache_folder("devices"); }

std::vector<fs::path> resource_folders() {
  std::vector<fs::path> folders;
  const fs::path program = program_folder();
  if (!program.empty()) folders.push_back((program / "../share/lavascope").lexically_normal());
#ifdef LAVA_BUILD_TREE
  if (is_inside(program / "x", LAVA_BUILD_TREE)) folders.push_back(fs::path(LAVA_SOURCE_TREE) / "resources");
#endif
  return folders;
}

}  // namespace lava
