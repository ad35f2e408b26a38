// Where the window was, kept in a small file of the state folder.
#pragma once

class QQuickWindow;

namespace lava::ui {

void restore_geometry(QQuickWindow& window);
void save_geometry(const QQuickWindow& window);

}  // namespace lava::ui
