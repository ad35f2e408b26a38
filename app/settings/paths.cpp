#include "app/settings/paths.h"

#include <QDir>

namespace lava::app::paths {
namespace {

// A variable that is not an absolute path is ignored, as the XDG specification demands.
QString base(const char* variable, const char* fallback) {
  const QString value = qEnvironmentVariable(variable);
  const QString folder = QDir::isAbsolutePath(value) ? value : QDir::homePath() + "/" + fallback;
  return QDir::cleanPath(folder + "/lavascope");
}

}  // namespace

QString data() { return base("XDG_DATA_HOME", ".local/share"); }
QString media() { return data() + "/media"; }
QString models() {
  const QString chosen = qEnvironmentVariable("LAVASCOPE_MODELS");
  return QDir::isAbsolutePath(chosen) ? QDir::cleanPath(chosen) : data() + "/models";
}
QString config() { return base("XDG_CONFIG_HOME", ".config"); }
QString cache() { return base("XDG_CACHE_HOME", ".cache"); }
QString state() { return base("XDG_STATE_HOME", ".local/state"); }

}  // namespace lava::app::paths
