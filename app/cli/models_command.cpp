#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocale>
#include <QProcess>

#include "app/cli/commands.h"
#include "app/cli/terminal.h"
#include "app/library/model_library.h"
#include "app/settings/paths.h"

namespace lava::app {
namespace {

QString line_of(const ModelEntry& model) {
  QString line = QString("%1  %2  %3").arg(model.path, model.vision ? "sees pictures" : "text only", model.kind);
  if (model.bytes > 0) line += "  " + QLocale(QLocale::English).formattedDataSize(model.bytes, 1, QLocale::DataSizeTraditionalFormat);
  if (!model.projector.isEmpty()) line += "\n    --mmproj " + model.projector;
  if (!model.problem.isEmpty()) line += "\n    cannot be used: " + model.problem;
  return line + "\n";
}

QJsonObject json_of(const ModelEntry& model) {
  QJsonObject object{{"name", model.name}, {"path", model.path}, {"kind", model.kind}, {"vision", model.vision}};
  if (model.bytes > 0) object["bytes"] = model.bytes;
  if (!model.projector.isEmpty()) object["mmproj"] = model.projector;
  if (!model.problem.isEmpty()) object["problem"] = model.problem;
  return object;
}

}  // namespace

int fetch_command(const QString& wanted) {
  QStringList fitting, known;
  for (const CatalogueEntry& entry : catalogue()) {
    known << entry.id;
    if (entry.id == wanted) fitting = {entry.id};
    if (entry.id.startsWith(wanted) && !fitting.contains(wanted)) fitting << entry.id;
  }
  Error error{Error::Kind::not_found, "There is no such model to get", wanted.toStdString(),
              "Known are: " + known.join(", ").toStdString()};
  if (fitting.size() == 1) {
    // The same program that the first start uses: it goes on where it was interrupted and checks what it got.
    QProcess process;
    process.setProcessChannelMode(QProcess::ForwardedChannels);
    process.start("python3", {resource_file("models/fetch.py"), fitting[0]});
    if (process.waitForFinished(-1) && process.exitStatus() == QProcess::NormalExit)
      return process.exitCode() == 0 ? exit_done : exit_error;
    error = {Error::Kind::io, "The model cannot be fetched", process.errorString().toStdString(), "Install python3"};
  }
  terminal::complain(error);
  return exit_error;
}

int models_command(bool json) {
  std::vector<ModelEntry> models = find_models(paths::models());
  models.insert(models.begin(), default_model());
  if (json) {
    QJsonArray array;
    for (const ModelEntry& model : models) array.append(json_of(model));
    terminal::print(QString::fromUtf8(QJsonDocument(array).toJson(QJsonDocument::Indented)));
    return exit_done;
  }
  for (const ModelEntry& model : models) terminal::print(line_of(model));
  if (models.size() == 1)
    terminal::say("Put other models into " + QDir::toNativeSeparators(paths::models()) + ", or name a file with --model.");
  return exit_done;
}

}  // namespace lava::app
