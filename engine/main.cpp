// The engine program: one subcommand per file of engine/cli.
#include <CLI/CLI.hpp>

#include "engine/cli/commands.h"

int main(int argc, char** argv) {
  CLI::App app("The engine of Lavascope", "lavascope-engine");
  app.require_subcommand(1);
  lava::add_selftest_command(app);
  CLI11_PARSE(app, argc, argv);
  return 0;
}
