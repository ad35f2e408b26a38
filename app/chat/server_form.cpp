#include "app/chat/server_form.h"

#include "app/chat/engine_link.h"

namespace lava::app {

ServerForm::ServerForm(EngineLink& engine) : QObject(&engine), engine_(engine) {
  connect(&trial_, &ServerLink::state_changed, this, &ServerForm::on_trial);
}

void ServerForm::open() {
  known_ = engine_.known_server();
  cancel();
  emit opened();
}

void ServerForm::submit(const QString& address, const QString& token) {
  cancel();
  const auto url = server_address(address);
  if (!url) return complain(url.error(), false);
  const auto checked = server_token(token);
  if (!checked) return complain(checked.error(), true);
  trial_.open({*url, *checked, *url == known_.address ? known_.model : QString()});
}

void ServerForm::cancel() {
  trial_.close();
  address_problem_.clear();
  token_problem_.clear();
  emit changed();
}

bool ServerForm::token_fits(const QString& address) const {
  const auto url = server_address(address);
  return url && *url == known_.address;
}

bool ServerForm::exposed(const QString& address) const {
  const auto url = server_address(address);
  return url && !ServerPlace{*url, {}}.encrypted();
}

// A server whose model still loads is found as well: the window waits for it as for one of its own.
void ServerForm::on_trial() {
  using State = ServerLink::State;
  if (trial_.state() == State::failed) {
    trial_.close();  // it would look again
    return complain(trial_.error(), trial_.token_refused());
  }
  if (trial_.state() != State::loading && trial_.state() != State::ready) return emit changed();
  known_ = trial_.place();
  cancel();
  engine_.use_server(known_);
  emit reached();
}

void ServerForm::complain(const Error& error, bool about_token) {
  (about_token ? token_problem_ : address_problem_) = QString::fromStdString(error.message());
  emit changed();
}

}  // namespace lava::app
