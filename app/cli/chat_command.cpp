#include <QDir>

#include "app/cli/commands.h"
#include "app/cli/interrupts.h"
#include "app/cli/recorder.h"
#include "app/cli/terminal.h"
#include "app/settings/paths.h"

namespace lava::app {
namespace {

constexpr const char* help_text =
    "Type a question and press Enter.\n"
    "  /picture FILE   add a picture to the next question\n"
    "  /new            begin a new chat\n"
    "  /quit           leave (or Ctrl-D)\n"
    "Ctrl-C stops an answer.\n";

class Conversation {
 public:
  Conversation(EngineSession& session, const ChatArguments& arguments)
      : session_(session), options_(arguments.options), recorder_(arguments.save, paths::data()), media_(paths::media()) {}

  Result<void> resume(ChatId chat);
  bool handle(const QString& line);  // false: leave

 private:
  void add_picture(const QString& argument);
  void ask(const QString& question);
  void begin_anew();

  EngineSession& session_;
  AskOptions options_;
  Recorder recorder_;
  MediaStore media_;
  std::vector<TurnContent> turns_;
  std::vector<LoadedPicture> waiting_;  // pictures of the next question
};

// A file name as people paste it: in quotes, with ~, or as a file: address.
QString file_of(QString text) {
  text = text.trimmed();
  if (text.size() > 1 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front()) text = text.mid(1, text.size() - 2);
  if (text.startsWith("file://")) return QUrl(text).toLocalFile();
  if (text.startsWith("~/")) return QDir::homePath() + text.mid(1);
  return text;
}

Result<void> Conversation::resume(ChatId chat) {
  if (!recorder_.resume(chat))
    return fail(Error::Kind::not_found, "There is no such chat", "number " + std::to_string(chat), "lavascope-cli history lists the chats");
  for (const Message& message : recorder_.turns()) {
    TurnContent turn{message.role, message.text, {}, {}};
    for (const Attachment& attachment : message.attachments) {
      LAVA_TRY(QByteArray bytes, media_.read(attachment.sha256));
      turn.pictures.push_back(std::move(bytes));
      turn.picture_types.push_back(attachment.mime);
    }
    if (message.role == Role::assistant && message.text.isEmpty()) continue;
    terminal::print((message.role == Role::user ? "> " : "") + message.text + "\n");
    turns_.push_back(std::move(turn));
  }
  return {};
}

bool Conversation::handle(const QString& line) {
  if (line.isEmpty()) return true;
  if (!line.startsWith('/'))
    ask(line);
  else if (line == "/quit" || line == "/exit")
    return false;
  else if (line == "/new")
    begin_anew();
  else if (line == "/help")
    terminal::print(help_text);
  else if (line.section(' ', 0, 0) == "/picture")
    add_picture(line.section(' ', 1));
  else
    terminal::say("There is no command " + line.section(' ', 0, 0) + "; /help lists them.");
  return true;
}

void Conversation::begin_anew() {
  turns_.clear();
  waiting_.clear();
  recorder_.new_chat();
  terminal::say("A new chat.");
}

void Conversation::add_picture(const QString& argument) {
  if (argument.trimmed().isEmpty()) return terminal::say("Give the file too: /picture FILE");
  auto picture = load_picture(file_of(argument));
  if (!picture) return terminal::complain(picture.error());
  const Attachment& a = picture->attachment;
  terminal::say(QString("%1, %2×%3: goes with the next question.").arg(a.name).arg(a.width).arg(a.height));
  waiting_.push_back(std::move(*picture));
}

void Conversation::ask(const QString& question) {
  TurnContent turn{Role::user, question, {}, {}};
  std::vector<Attachment> attachments;
  for (const LoadedPicture& picture : waiting_) {
    turn.pictures.push_back(picture.bytes);
    turn.picture_types.push_back(picture.attachment.mime);
    attachments.push_back(picture.attachment);
    if (!recorder_.store()) continue;
    if (const auto kept = media_.keep(picture); !kept) terminal::warn(QString::fromStdString(kept.error().message()));
  }
  std::vector<TurnContent> turns = turns_;
  turns.push_back(turn);
  recorder_.begin(question, attachments, session_.model());
  QString text;
  const auto answer = session_.ask(turns, options_, [&](const QString& delta) {
    text += delta;
    terminal::print(delta);
    recorder_.grow(text);
  });
  if (!text.isEmpty()) terminal::print("\n");
  recorder_.finish(answer, text);
  if (!answer) terminal::complain(answer.error());
  // After a failure the pictures wait for the next try, as nothing was said about them yet.
  if (!answer && text.isEmpty()) return;
  waiting_.clear();
  turns_ = std::move(turns);
  turns_.push_back({Role::assistant, text, {}, {}});
}

}  // namespace

int chat_command(const ChatArguments& arguments) {
  auto session = EngineSession::open(arguments.engine);
  if (!session) {
    terminal::complain(session.error());
    return exit_error;
  }
  Conversation conversation(**session, arguments);
  if (arguments.resume != 0) {
    if (const auto resumed = conversation.resume(arguments.resume); !resumed) {
      terminal::complain(resumed.error());
      return exit_error;
    }
  }
  if (terminal::is_terminal_in()) terminal::print("Talking to " + (*session)->model() + ". /help lists the commands.\n");
  Interrupts& interrupts = Interrupts::instance();
  while (!interrupts.ending()) {
    interrupts.take();
    const auto line = terminal::read_line("> ");
    if (!line && interrupts.take() && !interrupts.ending()) {
      terminal::print("\n");
      terminal::say("/quit leaves.");
      continue;
    }
    if (!line && terminal::is_terminal_in()) terminal::print("\n");
    if (!line || !conversation.handle(*line)) break;
  }
  return exit_done;
}

}  // namespace lava::app
