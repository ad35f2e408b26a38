#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QTextStream>
#include <cmath>

#include "app/cli/annotate.h"
#include "app/cli/commands.h"
#include "app/cli/recorder.h"
#include "app/cli/terminal.h"
#include "app/settings/paths.h"

namespace lava::app {
namespace {

int told(const Error& error) {
  terminal::complain(error);
  return exit_error;
}

// "out.png" for one picture, "out-2.png" for the second of several.
QString annotated_name(const QString& wanted, size_t picture, size_t pictures) {
  if (pictures == 1) return wanted;
  const QFileInfo info(wanted);
  return QDir(info.path()).filePath(QString("%1-%2.%3").arg(info.completeBaseName()).arg(picture + 1).arg(info.suffix()));
}

Result<std::vector<LoadedPicture>> load_pictures(const QStringList& files) {
  std::vector<LoadedPicture> pictures;
  for (const QString& file : files) {
    LAVA_TRY(LoadedPicture picture, load_picture(file));
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

Result<void> annotate(const std::vector<LoadedPicture>& pictures, const std::vector<GroundedBox>& boxes, const QString& wanted) {
  for (size_t i = 0; i < pictures.size(); ++i) {
    const QByteArray& bytes = pictures[i].bytes;
    LAVA_TRY(media::Picture picture,
             media::decode_picture({reinterpret_cast<const std::byte*>(bytes.constData()), static_cast<size_t>(bytes.size())}));
    std::vector<GroundedBox> here;
    for (const GroundedBox& box : boxes)
      if (box.picture == static_cast<int>(i)) here.push_back(box);
    draw_boxes(picture, here);
    LAVA_CHECK_OK(media::write_png(annotated_name(wanted, i, pictures.size()).toStdString(), picture));
  }
  return {};
}

QJsonObject json_of(const AnswerDone& answer) {
  QJsonArray boxes;
  for (const GroundedBox& box : answer.boxes)
    boxes.append(QJsonObject{{"label", box.label}, {"box", QJsonArray{box.x1, box.y1, box.x2, box.y2}}, {"picture", box.picture}});
  return {{"text", answer.text}, {"boxes", boxes}, {"timings", answer.timings}};
}

Result<QString> question_of(const QString& argument) {
  if (argument != "-") {
    if (!argument.trimmed().isEmpty()) return argument;
    return fail(Error::Kind::invalid, "There is no question", "it is empty", "Ask something");
  }
  QTextStream input(stdin);
  const QString text = input.readAll().trimmed();
  if (text.isEmpty())
    return fail(Error::Kind::invalid, "There is no question", "standard input is empty", "Pipe the question in, or give it as an argument");
  return text;
}

// The engine knows pictures by number, the user by file.
Error with_file_names(Error error, const QStringList& files) {
  static const QRegularExpression by_number(QStringLiteral("\\bpicture (\\d+)\\b"));
  const QString cause = QString::fromStdString(error.cause);
  const auto match = by_number.match(cause);
  const int number = match.captured(1).toInt();
  if (number >= 1 && number <= files.size())
    error.cause = (cause.left(match.capturedStart()) + files[number - 1] + cause.mid(match.capturedEnd())).toStdString();
  return error;
}

// "x1,y1,x2,y2" -> the rectangle; anything else is told with an example.
Result<std::vector<QRectF>> read_regions(const QStringList& texts, const QStringList& pictures) {
  std::vector<QRectF> regions;
  if (!texts.isEmpty() && pictures.size() != 1)
    return fail(Error::Kind::invalid, "A region needs one picture", QString("there are %1").arg(pictures.size()).toStdString(), "Give exactly one");
  for (const QString& text : texts) {
    const QStringList words = text.split(',');
    double sides[4] = {0, 0, 0, 0};
    bool usable = words.size() == 4;
    for (int i = 0; usable && i < 4; ++i) sides[i] = words[i].trimmed().toDouble(&usable), usable = usable && std::abs(sides[i]) < 1e6;
    if (!usable || sides[2] <= sides[0] || sides[3] <= sides[1])
      return fail(Error::Kind::invalid, "This is not a region", text.toStdString(), "Write left, top, right and bottom in pixels: 10,20,110,95");
    regions.emplace_back(QPointF(sides[0], sides[1]), QPointF(sides[2], sides[3]));
  }
  return regions;
}

struct Prepared {
  QString question;
  std::vector<LoadedPicture> pictures;
  std::vector<QRectF> regions;
};

// Whatever can be wrong with the arguments is told before the engine starts.
Result<Prepared> prepare(const AskArguments& arguments) {
  Prepared prepared;
  if (!arguments.annotate.isEmpty()) LAVA_CHECK_OK(check_output(arguments.annotate));
  LAVA_TRY(prepared.regions, read_regions(arguments.regions, arguments.pictures));
  LAVA_TRY(prepared.pictures, load_pictures(arguments.pictures));
  LAVA_TRY(prepared.question, question_of(arguments.question));
  return prepared;
}

void record_question(Recorder& recorder, const Prepared& prepared, const QString& model) {
  if (!recorder.store()) return;
  const MediaStore media(paths::media());
  std::vector<Attachment> attachments;
  for (const LoadedPicture& picture : prepared.pictures) {
    if (const auto kept = media.keep(picture); !kept) terminal::warn(QString::fromStdString(kept.error().message()));
    attachments.push_back(picture.attachment);
  }
  recorder.begin(prepared.question, attachments, model);
}

}  // namespace

int ask_command(const AskArguments& arguments) {
  if (!annotation_name_is_fine(arguments.annotate)) return exit_usage;
  if (!arguments.annotate.isEmpty() && arguments.pictures.isEmpty()) {
    terminal::warn("--annotate needs a picture to draw on");
    return exit_usage;
  }
  const auto prepared = prepare(arguments);
  if (!prepared) return told(prepared.error());
  auto session = EngineSession::open(arguments.engine);
  if (!session) return told(session.error());
  Recorder recorder(arguments.save, paths::data());
  record_question(recorder, *prepared, (*session)->model());

  TurnContent turn{Role::user, prepared->question, {}, {}};
  for (const LoadedPicture& picture : prepared->pictures) {
    turn.pictures.push_back(picture.bytes);
    turn.picture_types.push_back(picture.attachment.mime);
  }
  turn.regions = prepared->regions;
  QString text;
  const auto answer = (*session)->ask({std::move(turn)}, arguments.options, [&](const QString& delta) {
    text += delta;
    if (!arguments.json) terminal::print(delta);
    recorder.grow(text);
  });
  if (!arguments.json && !text.isEmpty()) terminal::print("\n");
  recorder.finish(answer, text);
  if (!answer) return told(with_file_names(answer.error(), arguments.pictures));
  if (arguments.json) terminal::print(QString::fromUtf8(QJsonDocument(json_of(*answer)).toJson(QJsonDocument::Compact)) + "\n");
  if (answer->finish_reason == "length") terminal::warn("the answer was cut at the length limit; --max-tokens raises it");
  if (arguments.annotate.isEmpty()) return exit_done;
  const auto drawn = annotate(prepared->pictures, answer->boxes, arguments.annotate);
  return drawn ? exit_done : told(drawn.error());
}

}  // namespace lava::app
