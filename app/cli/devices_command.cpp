#include <QProcess>

#include "app/cli/commands.h"
#include "app/cli/terminal.h"
#include "app/engine/engine_process.h"

namespace lava::app {

// The engine's program looks for itself: what it finds is what it can open, and a driver that crashes ends that program alone.
int devices_command(const QString& engine, bool json) {
  const auto program = find_engine_program(engine);
  if (!program) {
    terminal::complain(program.error());
    return exit_error;
  }
  QProcess process;
  process.setProcessChannelMode(QProcess::ForwardedChannels);
  process.start(*program, json ? QStringList{"devices", "--json"} : QStringList{"devices"});
  const bool ended = process.waitForFinished(-1);
  if (ended && process.exitStatus() == QProcess::NormalExit) return process.exitCode() == 0 ? exit_done : exit_error;
  terminal::complain({Error::Kind::io, "The devices of this computer cannot be listed",
                      process.error() == QProcess::FailedToStart ? process.errorString().toStdString() : "the engine's program crashed in a driver",
                      "The processor computes all the same: --device cpu"});
  return exit_error;
}

}  // namespace lava::app
