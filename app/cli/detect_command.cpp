#include <QFile>
#include <cmath>

#include "app/cli/annotate.h"
#include "app/cli/commands.h"
#include "app/cli/terminal.h"
#include "engine/server/wire.h"

namespace lava::app {
namespace {

// Errors name the file.
Result<media::Picture> read_picture(const QString& file) {
  const std::string path = QFile::encodeName(file).toStdString();
  auto picture = media::read_picture(path);
  if (picture) return picture;
  Error error = picture.error();
  if (error.message().find(path) == std::string::npos) error.cause = path + (error.cause.empty() ? "" : ": " + error.cause);
  return tl::unexpected(error);
}

// No server and no language model: the detector runs in this program.
Result<Detections> detect(const media::Picture& picture, const DetectArguments& arguments) {
  LAVA_TRY(const auto device, make_cpu_device({.threads = arguments.threads, .isa = {}, .pin = true}));
  LAVA_TRY(const auto detector, Detector::open(*device));
  return detector->detect(picture, arguments.rules);
}

QString text_of(const Detections& found) {
  if (found.objects.empty()) return "Nothing found.\n";
  QString text;
  for (const Detection& d : found.objects)
    text += QString("%1  %2 %  [%3, %4, %5, %6]\n")
                .arg(QString::fromStdString(d.label))
                .arg(std::lround(100 * d.score))
                .arg(std::lround(d.box[0]))
                .arg(std::lround(d.box[1]))
                .arg(std::lround(d.box[2]))
                .arg(std::lround(d.box[3]));
  return text;
}

std::vector<GroundedBox> boxes_of(const Detections& found) {
  std::vector<GroundedBox> boxes;
  for (const Detection& d : found.objects) boxes.push_back({QString::fromStdString(d.label), d.box[0], d.box[1], d.box[2], d.box[3]});
  return boxes;
}

Result<void> run(const DetectArguments& arguments) {
  if (!arguments.annotate.isEmpty()) LAVA_CHECK_OK(check_output(arguments.annotate));
  LAVA_TRY(media::Picture picture, read_picture(arguments.picture));
  LAVA_TRY(const Detections found, detect(picture, arguments));
  terminal::print(arguments.json ? QString::fromStdString(server::dump(server::detections_json(found))) + "\n" : text_of(found));
  if (arguments.annotate.isEmpty()) return {};
  draw_boxes(picture, boxes_of(found));
  return media::write_png(QFile::encodeName(arguments.annotate).toStdString(), picture);
}

}  // namespace

int detect_command(const DetectArguments& arguments) {
  if (!annotation_name_is_fine(arguments.annotate)) return exit_usage;
  const auto done = run(arguments);
  if (!done) terminal::complain(done.error());
  return done ? exit_done : exit_error;
}

}  // namespace lava::app
