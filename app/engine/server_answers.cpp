#include "app/engine/server_answers.h"

#include <QJsonArray>
#include <algorithm>
#include <vector>

#include "app/engine/answer_stream.h"

namespace lava::app {
namespace {

constexpr qsizetype most_address = 2000, most_token = 4096;

bool is_loopback(const QString& host) { return host == "localhost" || host == "::1" || host.startsWith("127."); }

tl::unexpected<Error> no_address(const std::string& cause) {
  return fail(Error::Kind::invalid, "This is not the address of a server", cause, "Give one like http://gpu-server:8080");
}

// Whether a model takes pictures, in the words of llama.cpp, OpenRouter, Mistral and others; most tell nothing.
std::optional<bool> sees(const QJsonObject& model) {
  const QJsonValue able = model["capabilities"], inputs = model["architecture"].toObject()["input_modalities"];
  if (able.toObject().contains("vision")) return able["vision"].toBool();
  if (inputs.isArray()) return inputs.toArray().contains("image");
  const QJsonArray words = able.toArray();
  if (words.contains("vision") || words.contains("multimodal") || words.contains("image")) return true;
  return std::nullopt;
}

struct Served {
  QString id;
  std::optional<bool> vision;
};

std::vector<Served> read_served(const QJsonArray& models) {
  std::vector<Served> served;
  for (const QJsonValue one : models) {
    const QString id = one["id"].toString();
    const bool known = std::any_of(served.begin(), served.end(), [&](const Served& other) { return other.id == id; });
    if (!id.isEmpty() && !known) served.push_back({id, sees(one.toObject())});
  }
  return served;
}

// The first that sees, else the first that talks.
const Served& best_of(const std::vector<Served>& served) {
  const auto seeing = std::find_if(served.begin(), served.end(), [](const Served& one) { return one.vision.value_or(false); });
  if (seeing != served.end()) return *seeing;
  const auto talking = std::find_if(served.begin(), served.end(), [](const Served& one) { return !one.id.contains("embed", Qt::CaseInsensitive); });
  return talking != served.end() ? *talking : served.front();
}

QJsonObject told_of(const std::vector<Served>& served, const QString& wanted) {
  if (served.empty()) return {};
  const auto found = std::find_if(served.begin(), served.end(), [&](const Served& one) { return one.id == wanted; });
  const Served& model = found != served.end() ? *found : best_of(served);
  QJsonObject told{{"model", model.id}, {"served_model", model.id}};
  if (model.vision) told["vision"] = *model.vision;
  if (!wanted.isEmpty() && found == served.end()) told["notice"] = wanted + " is not offered there now; " + model.id + " answers instead.";
  if (served.size() < 2) return told;
  QJsonArray all;
  for (const Served& one : served) all << (one.vision ? QJsonObject{{"id", one.id}, {"vision", *one.vision}} : QJsonObject{{"id", one.id}});
  told["served_models"] = all;
  return told;
}

std::string said(const ServerAnswer& answer) {
  QString text = answer.json ? error_in(*answer.json)["message"].toString() : QString();
  while (text.endsWith('.')) text.chop(1);
  return text.toStdString();
}

ReachTrouble refused(const ServerPlace& place, const ServerAnswer& answer) {
  const std::string name = place.name().toStdString();
  const std::string words = answer.outcome.status == 403 ? said(answer) : std::string();  // of a 401 they would repeat us, or the token
  if (words.find("host name") != std::string::npos)
    return {{Error::Kind::invalid, name + " does not answer under this name", words, "Use the address that was given to --host there, or start it with --allow-host and this name"}};
  if (place.token.isEmpty()) return {{Error::Kind::invalid, name + " wants a token", words, "Give the one that it was started with"}, true};
  return {{Error::Kind::invalid, name + " does not take this token", words, "Compare it with the one that the server was started with"}, true};
}

}  // namespace

QString ServerPlace::name() const {
  const QString host = address.host().contains(':') ? '[' + address.host() + ']' : address.host();
  return address.port() < 0 ? host : host + ':' + QString::number(address.port());
}

bool ServerPlace::encrypted() const { return address.scheme() == "https" || is_loopback(address.host()); }

Result<QUrl> server_address(const QString& text) {
  QString written = text.trimmed();
  if (written.isEmpty()) return no_address("nothing is written here");
  if (written.size() > most_address) return no_address("it is too long");
  if (!written.contains("://")) written.prepend("http://");
  QUrl url(written, QUrl::StrictMode);
  if (!url.isValid() || url.host().isEmpty()) return no_address(text.trimmed().left(200).toStdString());
  if (url.scheme() != "http" && url.scheme() != "https") return no_address("it begins with " + url.scheme().toStdString() + "://");
  if (url.port() == 0) return no_address("there is no port 0");
  if (!url.userInfo().isEmpty())
    return fail(Error::Kind::invalid, "A name or password in the address would be shown and kept", "it stands before the @", "Leave it out; the token has a field of its own");
  url = url.adjusted(QUrl::RemoveQuery | QUrl::RemoveFragment);
  QString path = url.path();
  while (path.endsWith('/')) path.chop(1);
  if (path.endsWith("/v1")) path.chop(3);
  while (path.endsWith('/')) path.chop(1);
  url.setPath(path);
  return url;
}

Result<QString> server_token(const QString& text) {
  const QString token = text.trimmed();
  const bool usable = std::all_of(token.begin(), token.end(), [](QChar c) { return c > u' ' && c < u'\x7F'; });
  if (usable && token.size() <= most_token) return token;
  return fail(Error::Kind::invalid, "This is not a token", usable ? "it is too long" : "there are spaces, line breaks or letters beyond ASCII in it", "Copy it once more");
}

Result<ServerPlace> server_place(const QString& address, const QString& token) {
  ServerPlace place;
  LAVA_TRY(place.address, server_address(address));
  LAVA_TRY(place.token, server_token(token));
  return place;
}

bool is_ours(const QJsonObject& props) { return props["grounding"].isString(); }

QJsonObject foreign_props(const QJsonObject& models, const QJsonObject& props, const QString& wanted) {
  std::vector<Served> served = read_served(models["data"].toArray());
  if (served.size() == 1 && !served[0].vision) {  // what a server with one model says of itself, it says of that model
    const QJsonObject modalities = props["modalities"].toObject();
    served[0].vision = modalities.contains("vision") ? std::optional(modalities["vision"].toBool()) : sees(models["models"].toArray().at(0).toObject());
  }
  return told_of(served, wanted);
}

QJsonObject with_model(const QJsonObject& props, const QString& wanted) {
  std::vector<Served> served;
  for (const QJsonValue one : props["served_models"].toArray())
    served.push_back({one["id"].toString(), one["vision"].isBool() ? std::optional(one["vision"].toBool()) : std::nullopt});
  return served.empty() ? props : told_of(served, wanted);
}

ReachTrouble no_answer(const ServerPlace& place, const HttpOutcome& outcome) {
  const std::string name = place.name().toStdString(), host = place.address.host().toStdString();
  using Trouble = HttpOutcome::Trouble;
  switch (outcome.trouble) {
    case Trouble::no_host: return {{Error::Kind::io, "There is no computer called " + host, "its name is not known on this network", "Check how it is written, and the network"}};
    case Trouble::unreached:
      return {{Error::Kind::io, "Nothing answers at " + name, outcome.cause,
               std::string("Check the port, and that the server runs") + (is_loopback(place.address.host()) ? "" : " and listens to other computers")}};
    case Trouble::silent: return {{Error::Kind::io, name + " does not answer", "it was silent for " + std::to_string(server_patience_ms / 1000) + " seconds", "Check the address, and whether a firewall stands between"}};
    case Trouble::tls:
      return {{Error::Kind::io, "There is no safe connection to " + name, outcome.cause, "Write http:// if the server does not encrypt, or have its certificate put right"}};
    case Trouble::not_http: return {{Error::Kind::io, "What answers at " + name + " is no engine", "it does not speak HTTP", "Check the port; a server that encrypts has https://"}};
    default: return {{Error::Kind::io, "The connection to " + name + " broke off", outcome.cause, "Try again, and check the address"}};
  }
}

ReachTrouble other_answer(const ServerPlace& place, const ServerAnswer& answer) {
  const std::string name = place.name().toStdString();
  const long status = answer.outcome.status;
  if (status == 401 || status == 403) return refused(place, answer);
  if (!answer.outcome.redirect.empty())
    return {{Error::Kind::invalid, name + " sends to another address", answer.outcome.redirect.substr(0, 200), "Give that address if you trust it; a token is never passed on"}};
  if (answer.json && (*answer.json)["data"].isArray())
    return {{Error::Kind::invalid, name + " offers no model", "its list of models is empty", "Load a model there, then try again"}};
  if (status == 429 || status >= 500)
    return {{Error::Kind::io, name + " cannot answer now", said(answer).empty() ? "it answered with status " + std::to_string(status) : said(answer), "Try again later"}};
  const std::string sent = status != 200 ? "it answered with status " + std::to_string(status) : answer.json ? "it sent no list of models" : "it sent a page";
  return {{Error::Kind::invalid, "What answers at " + name + " is no engine", sent, "Check the address and the port"}};
}

}  // namespace lava::app
