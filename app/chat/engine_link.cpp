#include "app/chat/engine_link.h"

#include <QFileInfo>

#include "app/chat/words.h"

namespace lava::app {

QString EngineLink::state_name() const {
  switch (state()) {
    case State::stopped: return "stopped";
    case State::starting: return "starting";
    case State::loading: return "loading";
    case State::ready: return "ready";
    case State::failed: return "failed";
  }
  return {};
}

QString EngineLink::model_name() const {
  const QJsonValue model = props().value("model");
  const QString name = model.isObject() ? model.toObject().value("name").toString() : model.toString(props().value("model_name").toString());
  return name.isEmpty() || name == "default" ? "Lavascope" : QFileInfo(name).completeBaseName();
}

bool EngineLink::vision() const {
  return props().value("vision").toBool();
}

QString EngineLink::device() const {
  const QJsonObject all = props();
  const QString set = all.value("instruction_set").toString();
  const QString device = all.value("device").toString("CPU");
  return set.isEmpty() ? device : device.toUpper() + ' ' + QChar(0xB7) + ' ' + set;
}

QStringList EngineLink::facts() const {
  QStringList rows;
  const QJsonObject all = props();
  for (auto it = all.begin(); it != all.end(); ++it) {
    const QString name = QString(it.key()).replace('_', ' ');
    if (it->isBool()) rows += name + '\t' + (it->toBool() ? "yes" : "no");
    else if (it->isDouble() && it.key().contains("memory")) rows += name + '\t' + bytes_line(it->toInteger());
    else if (it->isDouble()) rows += name + '\t' + grouped(it->toInteger());
    else if (it->isString()) rows += name + '\t' + it->toString();
  }
  return rows;
}

bool EngineLink::model_missing() const {
  return state() == State::failed && error().kind == Error::Kind::not_found && error_what().contains("model", Qt::CaseInsensitive);
}

}  // namespace lava::app
