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

bool EngineLink::takes_regions() const {
  return props().value("regions").toBool();
}

QString EngineLink::device() const {
  const QJsonObject all = props();
  const QString backend = all.value("backend").toString();
  if (!backend.isEmpty() && backend != "cpu") return all.value("device").toString() + ' ' + QChar(0xB7) + ' ' + (backend == "cuda" ? "CUDA" : "Vulkan");
  const QString set = all.value("instruction_set").toString().toUpper().replace('_', ' ');
  const QString device = all.value("backend").toString(all.value("device").toString("CPU")).toUpper();
  return set.isEmpty() ? device : device + ' ' + QChar(0xB7) + ' ' + set;
}

namespace {

void add_facts(const QJsonObject& object, const QString& prefix, bool bytes, QStringList& rows) {
  for (auto it = object.begin(); it != object.end(); ++it) {
    const QString name = QString(prefix + it.key()).replace('_', ' ');
    if (it->isObject()) add_facts(it->toObject(), it.key() + ' ', it.key() == "memory", rows);
    else if (it->isBool()) rows += name + '\t' + (it->toBool() ? "yes" : "no");
    else if (it->isDouble()) rows += name + '\t' + (bytes ? bytes_line(it->toInteger()) : grouped(it->toInteger()));
    else if (it->isString() && !it->toString().isEmpty()) rows += name + '\t' + it->toString();
  }
}

}  // namespace

QStringList EngineLink::facts() const {
  QStringList rows;
  add_facts(props(), {}, false, rows);
  return rows;
}

bool EngineLink::model_missing() const {
  return state() == State::failed && error().kind == Error::Kind::not_found && error_what().contains("model", Qt::CaseInsensitive);
}

}  // namespace lava::app
