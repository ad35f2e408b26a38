// A conversation as the engine's wire takes it (docs/api.md).
#pragma once
#include <QByteArray>
#include <QUrl>
#include <vector>

#include "app/engine/engine_client.h"
#include "app/engine/http_call.h"

namespace lava::app {

// A POST without its body. `server` may end in /v1.
HttpRequest engine_call(const QUrl& server, const QString& token, const char* path);
// The body of a streamed question.
QByteArray question_body(const std::vector<TurnContent>& turns, const AskOptions& options);
// The messages alone: what has no answer yet.
QByteArray conversation_body(const std::vector<TurnContent>& turns);

}  // namespace lava::app
