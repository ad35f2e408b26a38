// What tests of the settings page look for.
#pragma once
#include "tests/support/ui/engine_rows.h"

namespace lava::test {

void live_in(const QString& home);  // from now on: settings, history, caches and state
bool open_settings(WindowFixture& f, const QString& group = {});  // empty: the one that is shown first
QStringList titles(const WindowFixture& f);                       // of the rows on screen
QQuickItem* row(const WindowFixture& f, const QString& title);
bool inside(QQuickItem* item, QQuickItem* holder);
QQuickItem* in(const WindowFixture& f, QQuickItem* holder, const QString& name);
QString words_in(QQuickItem* item);

}  // namespace lava::test
