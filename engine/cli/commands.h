// The engine's commands; each file of this folder adds one to the program.
#pragma once

namespace CLI {
class App;
}

namespace lava {

void add_selftest_command(CLI::App& app);

}  // namespace lava
