// A server that may be an engine: its address, what its answers say of it, and what is in the way of reaching it.
#pragma once
#include <QJsonObject>
#include <QUrl>
#include <optional>

#include "app/engine/http_call.h"
#include "kernels/result.h"

namespace lava::app {

constexpr int server_patience_ms = 10000;  // for one answer about itself

struct ServerPlace {
  QUrl address;  // without /v1 at its end; empty: none
  QString token;
  QString model = {};  // of a server that is not ours and has several: the one to ask; empty: the best by what it tells
  QString name() const;  // "gpu-server:8080"
  bool encrypted() const;  // or it never leaves this computer
  bool operator==(const ServerPlace&) const = default;
};

// One sentence that names what stands in the way; `token`: it is not the address that is wrong.
struct ReachTrouble {
  Error error;
  bool token = false;
};

// As people write an address: with or without http:// and /v1.
Result<QUrl> server_address(const QString& text);
Result<QString> server_token(const QString& text);
Result<ServerPlace> server_place(const QString& address, const QString& token);

struct ServerAnswer {
  HttpOutcome outcome;
  std::optional<QJsonObject> json;
};

// Props of an engine of ours, whose fields docs/api.md names; such a server takes our own fields and calls.
bool is_ours(const QJsonObject& props);
// Of a server that is not ours, out of its /v1/models and /props: `model`, `served_model` (the one to ask), and `vision` where it tells. With several models
// also `served_models`, each `id` and `vision` where it tells, and a `notice` when `wanted` is not among them.
QJsonObject foreign_props(const QJsonObject& models, const QJsonObject& props, const QString& wanted = {});
// These props with another of their models; empty: the best.
QJsonObject with_model(const QJsonObject& props, const QString& wanted);

ReachTrouble no_answer(const ServerPlace& place, const HttpOutcome& outcome);
// An answer that is not what an engine says there.
ReachTrouble other_answer(const ServerPlace& place, const ServerAnswer& answer);

}  // namespace lava::app
