// How the engine's process ends, for whoever started it.
#pragma once

namespace lava::server {

// The device stopped working: another process of the engine may find it well again. The request under way has had its error.
inline constexpr int exit_device_lost = 75;

}  // namespace lava::server
