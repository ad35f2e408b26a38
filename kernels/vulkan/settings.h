// What the environment says to this backend: for tests and for looking into a driver.
#pragma once
#include <string>

namespace lava::vulkan {

struct Settings {
  bool validate = false;   // LAVASCOPE_VULKAN_VALIDATE=1: the validation layers watch
  bool subgroups = true;   // LAVASCOPE_VULKAN_SUBGROUPS=0: reductions through shared memory also where the device has better
  bool map_own = false;    // LAVASCOPE_VULKAN_MAP=1: memory of the device's own is mapped where it is the processor's (reading it may be slow: it is often not cached)
  std::string matrix;      // LAVASCOPE_VULKAN_MATRIX=0: no products of matrices by subgroups; 16,8,16: of this shape (played_shapes of tiles.h)
  std::string limits;      // LAVASCOPE_VULKAN_LIMITS=128,16,32: tiles as for a device of such limits (played_limits of tiles.h)
};
const Settings& settings();

}  // namespace lava::vulkan
