// Has the engine look at what is attached while the question is still being written, so that its answer begins sooner. Nobody is told when it
// cannot: then the question does the work itself.
#pragma once
#include <QObject>
#include <QPointer>
#include <QTimer>
#include <functional>
#include <vector>

#include "app/chat/engine_link.h"

namespace lava::app {

class LookAhead : public QObject {
  Q_OBJECT
 public:
  // The question so far, as it would be sent; without turns there is nothing to look at.
  using Turns = std::function<std::vector<AskTurn>()>;
  LookAhead(EngineLink& engine, Turns turns);

  void update();  // what the question would send may have changed
  void let_go();  // a question is on its way: the engine knows whether what is under way is for it

 private:
  void look();
  void drop();

  EngineLink& engine_;
  Turns turns_;
  QTimer settle_;
  QPointer<Preparing> preparing_;
  std::vector<AskTurn> looked_at_;  // by preparing_, or by the last one that ended
};

}  // namespace lava::app
