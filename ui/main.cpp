// The desktop window: wires the parts together and nothing else.
#include <QFile>
#include <QFileInfo>
#include <QGuiApplication>
#include <QIcon>
#include <QQmlApplicationEngine>
#include <QQuickWindow>
#include <QSettings>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>

#include "app/chat/chosen_engine.h"
#include "app/settings/paths.h"
#include "app/settings/preferences.h"
#include "ui/window/app_object.h"
#include "ui/window/window_state.h"

namespace {

struct Options {
  std::vector<std::string> files;
  std::string model, server, server_token_file;  // model: empty: that which comes with the program, unless a server was chosen
};

// The server of the command line; without one, that which was chosen before. A token is in no list of arguments, and no child inherits it.
lava::Result<lava::app::ServerPlace> server_of(const Options& options) {
  using namespace lava;
  const QString variable = qEnvironmentVariable("LAVASCOPE_SERVER_TOKEN");
  qunsetenv("LAVASCOPE_SERVER_TOKEN");
  const app::ServerPlace kept = app::kept_server();
  if (options.server.empty()) return app::preferences::server().used && options.model.empty() ? kept : app::ServerPlace();
  LAVA_TRY(app::ServerPlace place, app::server_place(QString::fromStdString(options.server), variable));
  if (!options.server_token_file.empty()) {
    QFile file(QString::fromStdString(options.server_token_file));
    if (!file.open(QIODevice::ReadOnly)) return fail(Error::Kind::io, "The token cannot be read", options.server_token_file + ": " + file.errorString().toStdString(), "Name a file that holds the token alone");
    LAVA_TRY(place.token, app::server_token(QString::fromUtf8(file.read(1 << 16))));
  } else if (variable.isEmpty() && place.address == kept.address) {
    place.token = kept.token;
  }
  if (place.address == kept.address) place.model = kept.model;
  return place;
}

// Milliseconds since the kernel started this process (it counts starts in hundredths of a second).
double process_age_ms() {
  QFile stat("/proc/self/stat");
  timespec now{};
  if (!stat.open(QIODevice::ReadOnly) || clock_gettime(CLOCK_BOOTTIME, &now) != 0) return -1;
  const QByteArray line = stat.readAll();
  const QList<QByteArray> fields = line.mid(line.lastIndexOf(')') + 2).split(' ');
  const double started = fields.value(19).toDouble() / static_cast<double>(sysconf(_SC_CLK_TCK));
  return (static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9 - started) * 1000;
}

// What is not needed to draw the first frame starts after it.
void after_first_frame(QQuickWindow& window, std::function<void()> then) {
  QObject::connect(&window, &QQuickWindow::frameSwapped, &window, [then = std::move(then)] {
    if (qEnvironmentVariableIsSet("LAVASCOPE_PRINT_FIRST_FRAME")) {
      printf("%.1f\n", process_age_ms());
      fflush(stdout);
      QCoreApplication::quit();
    } else {
      then();
    }
  }, Qt::ConnectionType(Qt::QueuedConnection | Qt::SingleShotConnection));
}

int show(const Options& options, const lava::app::ServerPlace& server) {
  using namespace lava;
  auto history = app::HistoryStore::open(app::paths::data());
  if (!history) {
    qCritical("%s", history.error().message().c_str());
    return 1;
  }
  const app::MediaStore media(app::paths::media());
  app::ChosenEngine engine(media);
  app::ChatController chat(**history, engine, media, app::paths::state() + "/drafts.json");
  ui::AppObject object(&chat, &engine);
  QQmlApplicationEngine qml;
  ui::set_up(qml, object, media);
  qml.load(QUrl("qrc:/modules/Lavascope/Main.qml"));
  auto* window = qml.rootObjects().isEmpty() ? nullptr : qobject_cast<QQuickWindow*>(qml.rootObjects().front());
  if (!window) return 1;
  ui::restore_geometry(*window);
  after_first_frame(*window, [&] {
    app::EngineOptions wanted;
    if (!options.model.empty()) wanted.model = QString::fromStdString(options.model);
    wanted.device = app::preferences::device();
    wanted.log_file = app::paths::state() + "/engine.log";
    engine.start(wanted, server);
    QList<QUrl> files;
    for (const std::string& file : options.files) files.push_back(QUrl::fromLocalFile(QFileInfo(QString::fromStdString(file)).absoluteFilePath()));
    chat.composer()->add_files(files);
  });
  window->show();
  const int code = QCoreApplication::exec();
  if (!qEnvironmentVariableIsSet("LAVASCOPE_PRINT_FIRST_FRAME")) ui::save_geometry(*window);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App cli("A desktop assistant that sees");
  cli.add_option("files", options.files, "Pictures to ask about")->type_name("FILES");
  auto* model = cli.add_option("--model", options.model, "A model file or folder; 'default' is the one that comes with the program");
  auto* server = cli.add_option("--server", options.server, "Address of an engine that runs elsewhere, or of another OpenAI-compatible server; its token is read from LAVASCOPE_SERVER_TOKEN")
                     ->type_name("URL")->excludes(model);
  cli.add_option("--server-token-file", options.server_token_file, "File that holds the token of --server")->type_name("FILE")->needs(server);
  CLI11_PARSE(cli, argc, argv);

  QGuiApplication application(argc, argv);
  QGuiApplication::setOrganizationName("lavascope");
  QGuiApplication::setApplicationName("window");
  QGuiApplication::setApplicationDisplayName("Lavascope");
  QGuiApplication::setDesktopFileName("lavascope");
  QSettings::setDefaultFormat(QSettings::IniFormat);
  QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, QFileInfo(lava::app::paths::state()).path());
  QGuiApplication::setWindowIcon(QIcon(":/lavascope/icons/lavascope.svg"));
  const auto place = server_of(options);
  if (place) return show(options, *place);
  std::fprintf(stderr, "lavascope: %s\n", place.error().message().c_str());
  return 2;
}
