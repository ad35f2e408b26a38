// Search in the settings: which rows a query finds, and where its words are in them.
#pragma once
#include <QString>

namespace lava::app {

// Every word of the query is somewhere in the text. An empty query finds all.
bool finds(const QString& query, const QString& text);

// The text as rich text with the words of the query marked; nothing of it is read as markup.
QString marked(const QString& query, const QString& text, const QString& ink, const QString& ground);

}  // namespace lava::app
