#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>

#include "app/cli/commands.h"
#include "app/cli/terminal.h"
#include "app/history/export.h"
#include "app/settings/paths.h"

namespace lava::app {
namespace {

using Action = HistoryArguments::Action;

int told(const Error& error) {
  terminal::complain(error);
  return exit_error;
}

int no_such_chat(qint64 id) {
  return told({Error::Kind::not_found, "There is no such chat", "number " + std::to_string(id), "lavascope-cli history lists the chats"});
}

void print_json(const QJsonDocument& document) { terminal::print(QString::fromUtf8(document.toJson(QJsonDocument::Indented))); }

int list(const std::vector<Chat>& chats, bool json) {
  if (json) {
    QJsonArray array;
    for (const Chat& chat : chats) array.append(json_of(chat));
    print_json(QJsonDocument(array));
    return exit_done;
  }
  for (const Chat& chat : chats)
    terminal::print(QString("%1  %2  %3%4\n")
                        .arg(chat.id, 5)
                        .arg(chat.changed.toLocalTime().toString("yyyy-MM-dd HH:mm"), chat.pinned ? "* " : "", chat.title.simplified()));
  if (chats.empty()) terminal::say("No chats.");
  return exit_done;
}

int search(const HistoryStore& store, const QString& words, bool json) {
  if (json) return list(store.chats(words), true);
  const bool marks = terminal::is_terminal_out();
  const auto hits = store.search(words);
  for (SearchHit hit : hits) {
    terminal::print(
        QString("%1  %2  %3\n").arg(hit.chat, 5).arg(hit.created.toLocalTime().toString("yyyy-MM-dd HH:mm"), hit.title.simplified()));
    QString line = hit.snippet.replace('\n', ' ');
    terminal::print("         " + line.replace(QChar(2), marks ? "«" : "").replace(QChar(3), marks ? "»" : "") + "\n");
  }
  // Chats whose title alone has the words.
  std::vector<Chat> titles = store.chats(words);
  std::erase_if(titles, [&](const Chat& chat) {
    return std::any_of(hits.begin(), hits.end(), [&](const SearchHit& hit) { return hit.chat == chat.id; });
  });
  if (!titles.empty()) return list(titles, false);
  if (hits.empty()) terminal::say("Nothing found.");
  return exit_done;
}

int show(const HistoryStore& store, qint64 id, bool json) {
  const auto chat = store.chat(id);
  if (!chat) return no_such_chat(id);
  const auto branch = store.branch(id);
  if (json)
    print_json(QJsonDocument(json_of(*chat, branch)));
  else
    terminal::print(markdown_of(*chat, branch));
  return exit_done;
}

int export_chat(const HistoryStore& store, const HistoryArguments& arguments) {
  const auto chat = store.chat(arguments.chat);
  if (!chat) return no_such_chat(arguments.chat);
  const auto branch = store.branch(arguments.chat);
  const QByteArray bytes =
      arguments.format == "json" ? QJsonDocument(json_of(*chat, branch)).toJson() : markdown_of(*chat, branch).toUtf8();
  if (arguments.output.isEmpty()) {
    terminal::print(QString::fromUtf8(bytes));
    return exit_done;
  }
  QSaveFile file(arguments.output);
  if (file.open(QFile::WriteOnly) && file.write(bytes) == bytes.size() && file.commit()) return exit_done;
  return told({Error::Kind::io, "The file cannot be written", arguments.output.toStdString() + ": " + file.errorString().toStdString(),
               "Choose another name or folder"});
}

int move_chat(HistoryStore& store, const HistoryArguments& arguments) {
  const bool remove = arguments.action == Action::remove;
  const auto chat = store.chat(arguments.chat);
  if (!chat || chat->binned == remove) return no_such_chat(arguments.chat);
  const auto done = (remove ? store.delete_chat(arguments.chat) : store.restore_chat(arguments.chat)).result();
  if (!done) return told(done.error());
  if (remove)
    terminal::say(QString("Moved to the bin: %1. Undo with: lavascope-cli history restore %2").arg(chat->title.simplified()).arg(chat->id));
  return exit_done;
}

}  // namespace

int history_command(const HistoryArguments& arguments) {
  auto opened = HistoryStore::open(paths::data());
  if (!opened) return told(opened.error());
  HistoryStore& store = **opened;
  if (store.is_damaged())
    terminal::warn(QString("the history is damaged, so chats may be missing here; copies of sound days are in %1").arg(QDir(paths::data()).filePath("backups")));
  switch (arguments.action) {
    case Action::list: return list(store.chats(), arguments.json);
    case Action::bin: return list(store.bin(), arguments.json);
    case Action::search: return search(store, arguments.words, arguments.json);
    case Action::show: return show(store, arguments.chat, arguments.json);
    case Action::export_chat: return export_chat(store, arguments);
    case Action::remove:
    case Action::restore: return move_chat(store, arguments);
  }
  return exit_usage;
}

}  // namespace lava::app
