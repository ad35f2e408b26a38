// Where the window was, kept in a small file of the state folder.
#pragma once
#include <QString>

class QQuickWindow;

namespace lava::ui {

QString state_folder();   // $XDG_STATE_HOME/lavascope
QString data_folder();    // $XDG_DATA_HOME/lavascope
void restore_geometry(QQuickWindow& window);
void save_geometry(const QQuickWindow& window);

}  // namespace lava::ui
