// Where things of the user live (XDG base directories).
#pragma once
#include <QString>

namespace lava::app::paths {

QString data();    // $XDG_DATA_HOME/lavascope: history, backups; precious
QString media();   // data/media
QString models();  // $LAVASCOPE_MODELS, else data/models
QString config();  // $XDG_CONFIG_HOME/lavascope
QString cache();   // $XDG_CACHE_HOME/lavascope: all of it can be made again
QString state();   // $XDG_STATE_HOME/lavascope: logs, window state

}  // namespace lava::app::paths
