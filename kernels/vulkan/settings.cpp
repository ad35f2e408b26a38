#include "kernels/vulkan/settings.h"

#include <cstdlib>
#include <string_view>

namespace lava::vulkan {
namespace {

bool read(const char* name, bool otherwise) {
  const char* value = std::getenv(name);
  if (!value || !*value) return otherwise;
  return std::string_view(value) != "0";
}

}  // namespace

const Settings& settings() {
  const char *limits = std::getenv("LAVASCOPE_VULKAN_LIMITS"), *matrix = std::getenv("LAVASCOPE_VULKAN_MATRIX");
  static const Settings all{read("LAVASCOPE_VULKAN_VALIDATE", false), read("LAVASCOPE_VULKAN_SUBGROUPS", true), read("LAVASCOPE_VULKAN_MAP", false),
                            matrix ? matrix : "", limits ? limits : ""};
  return all;
}

}  // namespace lava::vulkan
