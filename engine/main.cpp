// lavascope-engine: one command per file of engine/cli.
#include <CLI/CLI.hpp>

#include "engine/cli/commands.h"

int main(int argc, char** argv) {
  CLI::App app("The engine of Lavascope: models that see, on this computer", "lavascope-engine");
  app.set_version_flag("--version", LAVA_VERSION);
  app.require_subcommand(1);
#define LAVA_COMMAND(name) lava::add_##name##_command(app);
#include "engine_commands.inc"
#undef LAVA_COMMAND
  CLI11_PARSE(app, argc, argv);
  return 0;
}
