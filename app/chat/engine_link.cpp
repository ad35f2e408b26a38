#include "app/chat/engine_link.h"

#include <QFileInfo>
#include <utility>

#include "app/chat/server_form.h"
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
  // A server's name for it is no file: a dot in it begins no ending.
  if (QString served = props().value("served_model").toString(); !served.isEmpty()) return served.section('/', -1);
  const QJsonValue model = props().value("model");
  const QString name = model.isObject() ? model.toObject().value("name").toString() : model.toString(props().value("model_name").toString());
  return name.isEmpty() || name == "default" ? "Lavascope" : QFileInfo(name).completeBaseName();
}

bool EngineLink::vision() const {
  return props().value("vision").toBool();
}

bool EngineLink::blind() const {
  return state() == State::ready && props().value("vision").isBool() && !vision();
}

bool EngineLink::ours() const {
  return is_ours(props());
}

QObject* EngineLink::server_form() {
  if (!form_) form_ = new ServerForm(*this);
  return form_;
}

QVariantList EngineLink::devices() const {
  QVariantList rows = device_rows(found_devices(), local_choice());
  rows << server_row(known_server().name());
  return rows;
}

int EngineLink::served_count() const {
  return static_cast<int>(props().value("served_models").toArray().size());
}

QVariantList EngineLink::served_models(const QString& part) const {
  constexpr qsizetype most_rows = 50;
  QVariantList rows;
  if (part.trimmed().isEmpty()) rows << choice_row({}, "Automatic", "The first that sees pictures, or else the first that talks");
  for (const QJsonValue one : props().value("served_models").toArray()) {
    const QString id = one["id"].toString();
    if (!id.contains(part.trimmed(), Qt::CaseInsensitive) || rows.size() >= most_rows) continue;
    rows << choice_row(id, id, !one["vision"].isBool() ? "" : one["vision"].toBool() ? "Sees pictures" : "Reads words only");
  }
  return rows;
}

bool EngineLink::takes_regions() const {
  return props().value("regions").toBool();
}

QString EngineLink::backend() const {
  return props().isEmpty() || (remote() && !ours()) ? QString() : backend_name(props().value("backend").toString("cpu"));
}

QString EngineLink::device() const {
  return props().value("device").toString();
}

QString EngineLink::notice() const {
  return props().value("notice").toString();
}

QVariantList EngineLink::memory() const {
  constexpr std::pair<const char*, const char*> parts[] = {{"weights", "Model"}, {"kv", "Conversation, when full"}, {"work", "Working space"}};
  const QJsonObject all = props().value("memory").toObject();
  QVariantList rows;
  for (const auto& [key, name] : parts) {
    const qint64 bytes = all.value(key).toInteger();
    if (bytes > 0) rows << QVariantMap{{"name", name}, {"bytes", static_cast<double>(bytes)}, {"text", bytes_line(bytes)}};
  }
  return rows;
}

double EngineLink::memory_used() const {
  double sum = 0;
  for (const QVariant& part : memory()) sum += part.toMap().value("bytes").toDouble();
  return sum;
}

double EngineLink::device_memory() const {
  const QString backend = props().value("backend").toString();
  return remote() || backend.isEmpty() || backend == "cpu" ? 0 : static_cast<double>(app::device_memory(found_devices(), backend, device()));
}

QVariantList EngineLink::facts() const {
  const QJsonObject all = props(), parts = all["parts"].toObject(), memory = all["memory"].toObject();
  const qint64 packs = memory["packs"].toInteger();
  const std::pair<const char*, QString> rows[] = {
      {"Model", parts["text"].toString()},
      {"Pictures", parts["vision"].toString()},
      {"Context", all["context"].toInteger() > 0 ? grouped(all["context"].toInteger()) + " tokens" : QString()},
      {"Threads", all["threads"].toInteger() > 0 ? QString::number(all["threads"].toInteger()) : QString()},
      {"Instructions", all["instruction_set"].toString().toUpper()},
      {"Keys and values", memory["kv_format"].toString()},
      {"Packed on disk", packs > 0 ? bytes_line(packs) : QString()},
      {"Version", all["version"].toString()}};
  QVariantList facts;
  for (const auto& [name, value] : rows)
    if (!value.isEmpty()) facts << QVariantMap{{"name", name}, {"value", value}};
  return facts;
}

bool EngineLink::model_missing() const {
  return state() == State::failed && !remote() && error().kind == Error::Kind::not_found && error_what().contains("model", Qt::CaseInsensitive);
}

bool EngineLink::device_missing() const {
  return state() == State::failed && !remote() && error().kind == Error::Kind::not_found && !model_missing() && device_choice() != "cpu" && device_choice() != "auto";
}

}  // namespace lava::app
