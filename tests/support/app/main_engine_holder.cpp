// Holds an engine until it is killed, and prints the engine's process number once it is ready.
#include <QCoreApplication>
#include <cstdio>

#include "app/engine/engine_process.h"

using namespace lava::app;

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  EngineProcess engine;
  QObject::connect(&engine, &EngineProcess::state_changed, &engine, [&](EngineProcess::State state) {
    if (state != EngineProcess::State::ready) return;
    std::printf("%lld\n", static_cast<long long>(engine.pid()));
    std::fflush(stdout);
  });
  engine.start({.program = QCoreApplication::applicationDirPath() + "/fake_engine"});
  return application.exec();
}
