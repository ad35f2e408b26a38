// The engine's commands: a file cli/NAME.cpp that defines add_NAME_command adds one to the program; the build lists them.
#pragma once

namespace CLI {
class App;
}

namespace lava {

#define LAVA_COMMAND(name) void add_##name##_command(CLI::App& app);
#include "engine_commands.inc"
#undef LAVA_COMMAND

}  // namespace lava
