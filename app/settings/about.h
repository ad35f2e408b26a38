// What this program says of itself: version, and under which licences its parts stand.
#pragma once
#include <QString>
#include <QVariantList>

namespace lava::app {

QString version();

// Maps of name and value (the licence), out of the first table of a Markdown text; `name` and `licence`: numbers of its columns.
QVariantList licences(const QString& markdown, int name, int licence);

}  // namespace lava::app
