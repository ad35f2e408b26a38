// lavascope-engine: one command per file of engine/cli.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "engine/cli/commands.h"

int main(int argc, char** argv) {
  CLI::App app("The engine of Lavascope: models that see, on this computer", "lavascope-engine");
  app.set_version_flag("--version", LAVA_VERSION);
  app.require_subcommand(1);
#define LAVA_COMMAND(name) lava::add_##name##_command(app);
#include "engine_commands.inc"
#undef LAVA_COMMAND
  try {
    CLI11_PARSE(app, argc, argv);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "lavascope-engine: There is not enough memory. Close other programs, or choose a smaller model.\n");
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lavascope-engine: Something unexpected happened: %s.\n", error.what());
    return 1;
  }
  return 0;
}
