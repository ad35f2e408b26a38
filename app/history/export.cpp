#include "app/history/export.h"

#include <QJsonArray>

#include "app/history/reads.h"

namespace lava::app {
namespace {

QString time_text(const QDateTime& time) { return time.toUTC().toString(Qt::ISODate); }

QJsonObject json_of(const Message& message) {
  QJsonArray attachments, boxes;
  for (const Attachment& a : message.attachments)
    attachments.append(QJsonObject{{"sha256", a.sha256}, {"name", a.name}, {"mime", a.mime}, {"width", a.width}, {"height", a.height}});
  for (const GroundedBox& b : message.boxes)
    boxes.append(QJsonObject{
        {"label", b.label}, {"box", QJsonArray{b.x1, b.y1, b.x2, b.y2}}, {"start", b.start}, {"end", b.end}, {"picture", b.picture}});
  QJsonObject object{{"id", message.id},
                     {"parent", message.parent},
                     {"role", role_name(message.role)},
                     {"state", state_name(message.state)},
                     {"text", message.text},
                     {"attachments", attachments},
                     {"boxes", boxes},
                     {"created", time_text(message.created)}};
  if (!message.model.isEmpty()) object["model"] = message.model;
  if (!message.timings.isEmpty()) object["timings"] = message.timings;
  if (!message.error.isEmpty()) object["error"] = message.error;
  return object;
}

QString heading(const Message& message) {
  switch (message.role) {
    case Role::system: return "System";
    case Role::user: return "You";
    case Role::assistant: return message.model.isEmpty() ? QString("Answer") : "Answer (" + message.model + ")";
  }
  return {};
}

}  // namespace

QString markdown_of(const Chat& chat, const std::vector<Message>& branch) {
  QString text = "# " + (chat.title.isEmpty() ? QString("Untitled") : chat.title.simplified()) + "\n\n" + time_text(chat.created) + "\n";
  for (const Message& message : branch) {
    text += "\n## " + heading(message) + "\n\n";
    for (const Attachment& a : message.attachments) text += QString("- picture: %1 (%2×%3)\n").arg(a.name).arg(a.width).arg(a.height);
    if (!message.attachments.empty()) text += "\n";
    text += message.text.trimmed() + "\n";
    if (!message.boxes.empty()) text += "\n| label | picture | left | top | right | bottom |\n|---|---|---|---|---|---|\n";
    for (const GroundedBox& b : message.boxes)
      text += QString("| %1 | %2 | %3 | %4 | %5 | %6 |\n")
                  .arg(QString(b.label).replace('|', "\\|").simplified())
                  .arg(b.picture + 1)
                  .arg(b.x1, 0, 'f', 0)
                  .arg(b.y1, 0, 'f', 0)
                  .arg(b.x2, 0, 'f', 0)
                  .arg(b.y2, 0, 'f', 0);
    if (message.state == MessageState::stopped) text += "\n*Stopped.*\n";
    if (message.state == MessageState::failed) text += "\n*" + message.error["what"].toString() + ".*\n";
  }
  return text;
}

QJsonObject json_of(const Chat& chat) {
  return {{"id", chat.id},
          {"title", chat.title},
          {"created", time_text(chat.created)},
          {"changed", time_text(chat.changed)},
          {"pinned", chat.pinned}};
}

QJsonObject json_of(const Chat& chat, const std::vector<Message>& branch) {
  QJsonArray messages;
  for (const Message& message : branch) messages.append(json_of(message));
  QJsonObject object = json_of(chat);
  object["current_leaf"] = chat.current_leaf;
  object["messages"] = messages;
  return object;
}

}  // namespace lava::app
