#include "engine/server/reply_stream.h"

#include <ctime>

#include "engine/server/access.h"
#include "engine/server/connection.h"

namespace lava::server {
namespace {

std::string completion_id() { return "chatcmpl-" + make_token().substr(0, 24); }
std::string line(const Json& json) { return "data: " + dump(json) + "\n\n"; }

}  // namespace

Json completion_json(const std::string& model, const Answer& answer, double queue_ms, const Json* logprobs) {
  const Json choice = {{"index", 0},
                       {"message", {{"role", "assistant"}, {"content", answer.text}, {"refusal", nullptr}}},
                       {"logprobs", logprobs ? Json{{"content", *logprobs}, {"refusal", nullptr}} : Json(nullptr)},
                       {"finish_reason", answer.finish_reason}};
  return {{"id", completion_id()},
          {"object", "chat.completion"},
          {"created", std::time(nullptr)},
          {"model", model},
          {"choices", Json::array({choice})},
          {"usage", usage_json(answer.timings)},
          {"lavascope", extension_json(answer, queue_ms)}};
}

Json view_json(const View& view) {
  return {{"role", view.role == ViewRole::base ? "base" : view.role == ViewRole::tile ? "tile" : "high_resolution"},
          {"width", view.size.width},
          {"height", view.size.height},
          {"source", Json::array({view.source.x, view.source.y, view.source.width, view.source.height})},
          {"row", view.row},
          {"column", view.column}};
}

bool is_picture_error(const Error& error) { return error.what.find("picture") != std::string::npos && error.kind != Error::Kind::internal; }

ReplyStream::ReplyStream(std::shared_ptr<Job> job, std::string model, int socket, const ChatCall& call)
    : job_(std::move(job)),
      id_(completion_id()),
      model_(std::move(model)),
      created_(std::time(nullptr)),
      socket_(socket),
      usage_(call.include_usage),
      events_(call.events),
      logprobs_(call.request.top_logprobs >= 0) {}

Json ReplyStream::chunk(const Json& delta, const char* finish, const Json& logprobs) const {
  Json choice = {{"index", 0}, {"delta", delta}, {"logprobs", logprobs}, {"finish_reason", finish ? Json(finish) : Json(nullptr)}};
  return {{"id", id_}, {"object", "chat.completion.chunk"}, {"created", created_}, {"model", model_}, {"choices", Json::array({choice})}};
}

bool ReplyStream::next(const std::function<bool(const std::string&)>& write, const std::function<void()>& end) {
  if (!begun_) {
    begun_ = true;
    return write(line(chunk({{"role", "assistant"}, {"content", ""}}, nullptr, nullptr)));
  }
  const auto event = job_->wait(std::chrono::milliseconds(50));
  if (!event) {
    if (!peer_gone(socket_)) return true;
    job_->cancel();
    return false;
  }
  switch (event->kind) {
    case Event::Kind::progress:
      if (!events_) return true;
      return write(line({{"object", "lavascope.progress"},
                         {"choices", Json::array()},
                         {"lavascope", {{"phase", event->phase}, {"done", event->done}, {"total", event->total}}}}));
    case Event::Kind::text: {
      const Json logprobs = logprobs_ && event->logprob ? Json{{"content", Json::array({logprob_json(*event->logprob, event->top)})}, {"refusal", nullptr}} : Json(nullptr);
      return write(line(chunk({{"content", event->text}}, nullptr, logprobs)));
    }
    case Event::Kind::failed: {
      const bool written = write(line(error_body(event->error)));
      end();
      return written;
    }
    case Event::Kind::done: {
      const bool written = write_done(*event, write);
      end();
      return written;
    }
  }
  return false;
}

bool ReplyStream::write_done(const Event& event, const std::function<bool(const std::string&)>& write) const {
  Json last = chunk(Json::object(), event.answer.finish_reason.c_str(), nullptr);
  last["lavascope"] = extension_json(event.answer, event.queue_ms);
  if (!write(line(last))) return false;
  if (usage_) {
    const Json usage = {{"id", id_}, {"object", "chat.completion.chunk"}, {"created", created_}, {"model", model_}, {"choices", Json::array()},
                        {"usage", usage_json(event.answer.timings)}};
    if (!write(line(usage))) return false;
  }
  return write("data: [DONE]\n\n");
}

}  // namespace lava::server
