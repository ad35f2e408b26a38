// Questions, and what is asked before them, on their way to an engine, with pictures from the media store.
#pragma once
#include "app/chat/background.h"
#include "app/chat/engine_link.h"
#include "app/media/media_store.h"

namespace lava::app {

struct WireEnd {
  QUrl url;
  QString token;
  QString server;  // name of a server elsewhere, for what is told of failures; empty: a process of ours
  QString model;   // to be asked for by name, where our own fields are not understood (props: served_model)
};

class QuestionWire {
 public:
  explicit QuestionWire(const MediaStore& media) : media_(media) {}
  Asking* ask(const WireEnd& end, const std::vector<AskTurn>& turns, AskOptions options, QObject* parent);
  Preparing* prepare(const WireEnd& end, const std::vector<AskTurn>& turns, QObject* parent);
  void count_tokens(const WireEnd& end, int width, int height, QObject* context, std::function<void(std::optional<int>)> then);

 private:
  const MediaStore& media_;
  Background pictures_, views_;  // reading pictures never waits for a preview
};

}  // namespace lava::app
