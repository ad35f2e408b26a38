// An engine that runs elsewhere, or another OpenAI-compatible server: reaches it, and notices when it goes and comes back.
// Lives on the thread that made it.
#pragma once
#include <QTimer>
#include <functional>
#include <memory>

#include "app/engine/engine_process.h"
#include "app/engine/health_watch.h"

namespace lava::app {

class ServerLink : public QObject {
  Q_OBJECT
 public:
  using State = EngineProcess::State;  // starting: on the way to it; loading: it is there, its model is not

  explicit ServerLink(QObject* parent = nullptr);
  ~ServerLink() override;

  void open(const ServerPlace& place);
  void close();
  void reopen();  // asks once more whether it is there
  void use_model(const QString& model);  // from the next question on
  // While it answers a question nobody asks it how it is: some servers do one thing at a time.
  void set_occupied(std::function<bool()> occupied) { occupied_ = std::move(occupied); }
  void set_intervals(int well_ms, int lost_ms);  // between looks at a server that works, at one that cannot be reached

  const ServerPlace& place() const { return place_; }
  State state() const { return state_; }
  double progress() const { return progress_; }
  QString phase() const { return phase_; }
  Error error() const { return trouble_.error; }
  bool token_refused() const { return trouble_.token; }
  bool lost() const { return state_ == State::failed && was_ready_; }
  QJsonObject props() const { return props_; }

 signals:
  void state_changed(lava::app::EngineProcess::State state);
  void progress_changed(double progress, const QString& phase);
  void props_changed();  // or the trouble, in the same state

 private:
  void look();
  void on_ready(const QJsonObject& props);
  void on_failed(const ReachTrouble& trouble);
  void set_state(State state);

  ServerPlace place_;
  State state_ = State::stopped;
  double progress_ = 0;
  QString phase_;
  ReachTrouble trouble_;
  QJsonObject props_;
  bool was_ready_ = false;
  int well_ms_ = 20000, lost_ms_ = 5000;
  std::function<bool()> occupied_;
  QTimer again_;
  std::unique_ptr<HealthWatch> watch_;
};

}  // namespace lava::app
