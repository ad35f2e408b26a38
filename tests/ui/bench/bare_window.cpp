// The least that Qt Quick can show, to measure our start against: prints milliseconds from the start of the process to its first frame.
#include <QFile>
#include <QGuiApplication>
#include <QQmlApplicationEngine>
#include <QQuickWindow>
#include <cstdio>
#include <time.h>
#include <unistd.h>

namespace {

double process_age_ms() {
  QFile stat("/proc/self/stat");
  timespec now{};
  if (!stat.open(QIODevice::ReadOnly) || clock_gettime(CLOCK_BOOTTIME, &now) != 0) return -1;
  const QByteArray line = stat.readAll();
  const double started = line.mid(line.lastIndexOf(')') + 2).split(' ').value(19).toDouble() / static_cast<double>(sysconf(_SC_CLK_TCK));
  return (static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9 - started) * 1000;
}

}  // namespace

int main(int argc, char** argv) {
  QGuiApplication application(argc, argv);
  QQmlApplicationEngine engine;
  engine.loadData("import QtQuick\nWindow { width: 1180; height: 800; visible: true; color: 'white'; Text { anchors.centerIn: parent; text: 'Hello' } }");
  auto* window = engine.rootObjects().isEmpty() ? nullptr : qobject_cast<QQuickWindow*>(engine.rootObjects().front());
  if (!window) return 1;
  QObject::connect(window, &QQuickWindow::frameSwapped, window, [] {
    printf("%.1f\n", process_age_ms());
    fflush(stdout);
    QCoreApplication::quit();
  }, Qt::ConnectionType(Qt::QueuedConnection | Qt::SingleShotConnection));
  return application.exec();
}
