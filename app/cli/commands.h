// The commands of lavascope-cli. Each returns its exit code: 0 done, 1 an error was told, 2 it was called wrongly.
#pragma once
#include <QString>
#include <QStringList>

#include "app/cli/engine_session.h"
#include "engine/core/detector.h"

namespace lava::app {

constexpr int exit_done = 0, exit_error = 1, exit_usage = 2;

struct AskArguments {
  EngineChoice engine;
  AskOptions options;
  QString question;
  QStringList pictures;
  QString annotate;  // a PNG file to write; empty: none
  QStringList regions;  // "x1,y1,x2,y2" in pixels of the only picture
  bool json = false, save = true;
};
int ask_command(const AskArguments& arguments);

struct ChatArguments {
  EngineChoice engine;
  AskOptions options;
  qint64 resume = 0;  // a chat of the history; 0: a new one
  bool save = true;
};
int chat_command(const ChatArguments& arguments);

struct DetectArguments {
  QString picture, annotate;  // annotate: a PNG file to write; empty: none
  DetectRules rules;
  int threads = 0;
  bool json = false;
};
int detect_command(const DetectArguments& arguments);

int devices_command(const QString& engine, bool json);  // engine: the program; empty: the one beside this
int models_command(bool json);
int fetch_command(const QString& model);  // an id of the catalogue, or how one begins

struct HistoryArguments {
  enum class Action { list, show, search, remove, restore, bin, export_chat };
  Action action = Action::list;
  qint64 chat = 0;
  QString words;
  QString format = "markdown";
  QString output;  // empty: standard output
  bool json = false;
};
int history_command(const HistoryArguments& arguments);

}  // namespace lava::app
