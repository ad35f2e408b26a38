// One chat as a document for people (Markdown) or for programs (JSON, the shown branch with its places).
#pragma once
#include <QJsonObject>

#include "app/history/history_store.h"

namespace lava::app {

QString markdown_of(const Chat& chat, const std::vector<Message>& branch);
QJsonObject json_of(const Chat& chat, const std::vector<Message>& branch);
QJsonObject json_of(const Chat& chat);

}  // namespace lava::app
