// What the user writes to have a server elsewhere compute: it is tried first, and the engine that works goes on until it is found.
#pragma once
#include <QObject>

#include "app/engine/server_link.h"

namespace lava::app {

class EngineLink;

class ServerForm : public QObject {
  Q_OBJECT
  Q_PROPERTY(QString address READ address NOTIFY opened)  // what the fields begin with
  Q_PROPERTY(QString token READ token NOTIFY opened)
  Q_PROPERTY(bool trying READ trying NOTIFY changed)
  Q_PROPERTY(QString addressProblem READ address_problem NOTIFY changed)
  Q_PROPERTY(QString tokenProblem READ token_problem NOTIFY changed)

 public:
  explicit ServerForm(EngineLink& engine);
  QString address() const { return known_.address.toString(); }
  QString token() const { return known_.token; }
  bool trying() const { return trial_.state() == ServerLink::State::starting; }
  QString address_problem() const { return address_problem_; }
  QString token_problem() const { return token_problem_; }

  Q_INVOKABLE void open();  // begins with the server that was used last
  Q_INVOKABLE void submit(const QString& address, const QString& token);
  Q_INVOKABLE void cancel();  // the try under way; what was wrong is forgotten
  // A token belongs to its server: another address begins without it.
  Q_INVOKABLE bool token_fits(const QString& address) const;
  Q_INVOKABLE bool exposed(const QString& address) const;  // what is sent there can be read on the way

 signals:
  void opened();
  void changed();
  void reached();

 private:
  void on_trial();
  void complain(const Error& error, bool about_token);
  EngineLink& engine_;
  ServerLink trial_;
  ServerPlace known_;
  QString address_problem_, token_problem_;
};

}  // namespace lava::app
