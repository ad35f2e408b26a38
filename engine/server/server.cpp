#include "engine/server/server.h"

#include <httplib.h>

#include <mutex>

#include "engine/server/connection.h"
#include "engine/server/connection_pool.h"
#include "engine/server/jobs.h"
#include "engine/server/reply_stream.h"

namespace lava::server {
namespace {

void reply(httplib::Response& response, int status, const Json& json) {
  response.status = status;
  response.set_content(dump(json), "application/json");
}

void reply_error(httplib::Response& response, const Error& error, int status = 0) {
  reply(response, status ? status : status_of(error), error_body(error));
}

Error too_large_error(const std::string& limit) {
  return {Error::Kind::too_large, "The request is too large", limit, "Send smaller or fewer pictures"};
}

// Why a request reached none of the calls.
Error unrouted_error(const httplib::Request& request, int status) {
  if (status == 404)
    return {Error::Kind::not_found, "There is no " + request.method + " " + request.path.substr(0, 200), "", "docs/api.md lists the calls"};
  if (status == 413) return too_large_error("");
  if (status == 414) return {Error::Kind::too_large, "The address of the request is too long", "", "docs/api.md lists the calls"};
  return {Error::Kind::invalid, "The request is not valid HTTP", "", "Send it as docs/api.md describes"};
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, MakeAnswerer make) : options_(std::move(options)), make_(std::move(make)), jobs_(options_.queue) {
    configure();
    routes();
  }

  Result<int> bind() {
    const bool bound = options_.port == 0 ? (port_ = http_.bind_to_any_port(options_.host)) > 0
                                          : http_.bind_to_port(options_.host, port_ = options_.port);
    if (!bound)
      return fail(Error::Kind::io, "The server cannot listen on " + options_.host + ":" + std::to_string(options_.port),
                  "the port is taken, or the address is not this machine's", "Choose another --port, or --port 0 for a free one");
    return port_;
  }

  void run() {
    {
      std::lock_guard lock(life_mutex_);
      if (stopped_) return;
      jobs_.start([this] { return load(); });
      life_ = Life::running;
    }
    http_.listen_after_bind();
    life_ = Life::ended;
  }

  void stop(const std::string& reason) {
    {
      std::lock_guard lock(life_mutex_);
      stopped_ = true;
    }
    // The library forgets a stop that comes before it listens.
    while (life_ == Life::running && !http_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    jobs_.stop({Error::Kind::internal, reason, "", ""});
    // Handlers still have the last event of their job to send.
    for (int i = 0; i < 100 && handlers_ > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    http_.stop();
  }

 private:
  Answerer* load() {
    auto made = make_([this](double done, const char* phase) {
      std::lock_guard lock(mutex_);
      progress_ = done;
      phase_ = phase;
    });
    std::lock_guard lock(mutex_);
    if (!made) {
      load_error_ = made.error();
      return nullptr;
    }
    answerer_ = std::move(*made);
    return answerer_.get();
  }

  // The model once it is ready; else an error that says loading or why it failed.
  Result<Answerer*> ready() {
    std::lock_guard lock(mutex_);
    if (load_error_) return tl::unexpected<Error>(*load_error_);
    if (!answerer_)
      return fail(Error::Kind::busy, "The model is still loading", std::to_string(static_cast<int>(100 * progress_)) + " % done", "Try again in a moment");
    return answerer_.get();
  }

  void configure() {
    http_.set_payload_max_length(options_.limits.max_body);
    http_.set_read_timeout(30);
    http_.set_write_timeout(30);
    http_.set_tcp_nodelay(true);
    // The library's default would let two servers share a port and take turns.
    http_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    // A connection holds a thread; the queue bounds how many of them compute.
    // Many, so that clients which send nothing, or very slowly, do not lock the others out.
    http_.new_task_queue = [n = options_.queue] { return new ConnectionPool(static_cast<size_t>(n) + 120); };
    http_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) { return admit(request, response); });
    http_.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
      if (response.body.empty()) reply_error(response, unrouted_error(request, response.status), response.status);
    });
    http_.set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
      reply_error(response, {Error::Kind::internal, "The request failed inside the server", "", "Please report what you sent"});
    });
  }

  httplib::Server::HandlerResponse admit(const httplib::Request& request, httplib::Response& response) {
    using R = httplib::Server::HandlerResponse;
    if (request.get_header_value_count("Host") != 1 || !host_allowed(options_.access, request.get_header_value("Host"))) {
      reply_error(response, {Error::Kind::invalid, "This host name is not served", "", "Use 127.0.0.1 or localhost, or start the server with --allow-host and this name"}, 403);
      return R::Handled;
    }
    if (request.has_header("Origin")) {
      const std::string origin = request.get_header_value("Origin");
      if (!origin_allowed(options_.access, origin)) {
        reply_error(response, {Error::Kind::invalid, "Web pages of this origin may not use the server", "", "Start it with --allow-origin"}, 403);
        return R::Handled;
      }
      response.set_header("Access-Control-Allow-Origin", origin);
      response.set_header("Vary", "Origin");
      if (request.method == "OPTIONS") {
        response.set_header("Access-Control-Allow-Methods", "GET, POST");
        response.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type");
        response.status = 204;
        return R::Handled;
      }
    }
    if (request.path != "/health" && !token_matches(options_.access, request.get_header_value("Authorization"))) {
      response.set_header("WWW-Authenticate", "Bearer");
      reply_error(response, {Error::Kind::invalid, "The bearer token is missing or wrong", "", "Send Authorization: Bearer TOKEN"}, 401);
      return R::Handled;
    }
    return R::Unhandled;
  }

  void routes() {
    http_.Get("/health", [this](const auto&, auto& response) { health(response); });
    http_.Get("/props", [this](const auto&, auto& response) { with_model(response, [&](Answerer& a) { reply(response, 200, props(a)); }); });
    http_.Get("/v1/models", [this](const auto&, auto& response) {
      with_model(response, [&](Answerer& a) {
        reply(response, 200, {{"object", "list"}, {"data", Json::array({Json{{"id", a.report().name}, {"object", "model"}, {"created", 0}, {"owned_by", "local"}}})}});
      });
    });
    post("/v1/lavascope/views", [this](Answerer& a, const auto&, const std::string& body, auto& response) { preview(a, body, response); });
    post("/v1/lavascope/prepare", [this](Answerer& a, const auto& request, const std::string& body, auto& response) { prepare(a, request, body, response); });
    post("/v1/detect", [this](Answerer& a, const auto& request, const std::string& body, auto& response) { detect(a, request, body, response); });
    post("/v1/chat/completions", [this](Answerer& a, const auto& request, const std::string& body, auto& response) { chat(a, request, body, response); });
  }

  template <class F>
  void post(const char* path, const F& use) {
    http_.Post(path, [this, use](const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& reader) {
      const auto body = read_body(request, response, reader);
      if (!body) {
        response.set_header("Connection", "close");  // what is left of the body is no request
        return reply_error(response, body.error());
      }
      with_model(response, [&](Answerer& a) { use(a, request, *body, response); });
    });
  }

  // The library bounds only bodies that announce their length, and forms to 8 KiB.
  Result<std::string> read_body(const httplib::Request& request, const httplib::Response& response, const httplib::ContentReader& reader) const {
    if (request.is_multipart_form_data())
      return fail(Error::Kind::unsupported, "Forms of several parts are not understood", "", "Send one JSON object as the body");
    std::string body;
    const size_t most = options_.limits.max_body;
    bool too_large = false;
    const bool complete = reader([&](const char* bytes, size_t size) {
      too_large = size > most - body.size();
      if (!too_large) body.append(bytes, size);
      return !too_large;
    });
    if (complete) return body;
    if (too_large || response.status == 413) return tl::unexpected<Error>(too_large_error("more than " + std::to_string(most >> 20) + " MB"));
    return fail(Error::Kind::invalid, "The request's body cannot be read", "it ends early or is not encoded as its headers say", "Send it again");
  }

  template <class F>
  void with_model(httplib::Response& response, const F& use) {
    const auto answerer = ready();
    if (answerer)
      use(**answerer);
    else
      reply_error(response, answerer.error(), 503);
  }

  void health(httplib::Response& response) {
    std::lock_guard lock(mutex_);
    Json json = {{"status", load_error_ ? "error" : answerer_ ? "ok" : "loading"}, {"progress", answerer_ ? 1.0 : progress_}, {"phase", answerer_ ? "" : phase_}};
    if (load_error_) json["error"] = error_body(*load_error_)["error"];
    reply(response, answerer_ ? 200 : 503, json);
  }

  Json props(Answerer& answerer) const {
    const ModelReport& m = answerer.report();
    const DeviceInfo& d = answerer.device();
    return {{"model", m.name},
            {"parts", {{"text", m.text}, {"vision", m.vision}, {"adapters", m.adapters}, {"chat_format", m.chat_format}}},
            {"vision", !m.vision.empty()},
            {"grounding", m.grounding},
            {"regions", m.regions},
            {"context", m.context},
            {"device", d.name},
            {"backend", d.backend},
            {"instruction_set", d.isa},
            {"threads", d.threads},
            {"layers", {{"all", m.layers}, {"device", m.main_layers}}},
            {"memory", {{"weights", m.weight_bytes}, {"packs", m.pack_bytes}, {"kv", m.kv_bytes}, {"kv_format", m.kv_format}, {"work", m.arena_bytes}}},
            {"notice", answerer.notice()},
            {"limits", {{"max_body", options_.limits.max_body}, {"max_pixels", options_.limits.max_pixels}, {"max_tokens", options_.limits.max_tokens}, {"queue", options_.queue}}},
            {"version", LAVA_VERSION}};
  }

  void preview(Answerer& answerer, const std::string& body, httplib::Response& response) {
    const auto call = parse_preview_call(body);
    if (!call) return reply_error(response, call.error());
    const auto plan = answerer.preview(call->size, call->pictures);
    if (!plan) return reply_error(response, plan.error());
    Json views = Json::array();
    for (const View& view : plan->first) views.push_back(view_json(view));
    reply(response, 200, {{"views", views}, {"tokens", plan->second}});
  }

  static Result<void> check_model(const std::string& wanted, const std::string& loaded) {
    if (wanted.empty() || wanted == loaded || wanted == "default") return {};
    return fail(Error::Kind::not_found, "No model called \"" + wanted.substr(0, 200) + "\" is loaded", "", "Loaded is \"" + loaded + "\"");
  }

  void detect(Answerer& answerer, const httplib::Request& request, const std::string& body, httplib::Response& response) {
    auto call = parse_detect_call(body, request.params, options_.limits);
    if (!call) return reply_error(response, call.error(), is_picture_error(call.error()) ? 422 : 0);
    if (const auto known = check_model(call->model, answerer.report().name); !known) return reply_error(response, known.error());
    whole_reply(std::move(call->request), request, response, [](const Event& done) { return detections_json(done.detections); });
  }

  void prepare(Answerer& answerer, const httplib::Request& request, const std::string& body, httplib::Response& response) {
    auto call = parse_chat_call(body, options_.limits);
    if (!call) return reply_error(response, call.error(), is_picture_error(call.error()) ? 422 : 0);
    if (const auto known = check_model(call->model, answerer.report().name); !known) return reply_error(response, known.error());
    whole_reply(PrepareRequest{std::move(call->request)}, request, response, [](const Event& done) { return prepared_json(done.prepared, done.queue_ms); });
  }

  // Runs what has one answer and nothing before it.
  template <class F>
  void whole_reply(Work work, const httplib::Request& request, httplib::Response& response, const F& json_of) {
    auto job = jobs_.submit(std::move(work));
    if (!job) return reply_error(response, job.error());
    ++handlers_;
    const Event last = last_event(**job, socket_of_peer(request.remote_port), [](const Event&) {});
    if (last.kind == Event::Kind::done)
      reply(response, 200, json_of(last));
    else
      reply_error(response, last.error, is_picture_error(last.error) ? 422 : 0);
    --handlers_;
  }

  void chat(Answerer& answerer, const httplib::Request& request, const std::string& body, httplib::Response& response) {
    auto call = parse_chat_call(body, options_.limits);
    if (!call) return reply_error(response, call.error(), is_picture_error(call.error()) ? 422 : 0);
    const std::string name = answerer.report().name;
    if (const auto known = check_model(call->model, name); !known) return reply_error(response, known.error());
    auto job = jobs_.submit(std::move(call->request));
    if (!job) return reply_error(response, job.error());
    const int socket = socket_of_peer(request.remote_port);
    if (!call->stream) return whole_answer(**job, *call, name, socket, response);
    ++handlers_;
    auto stream = std::make_shared<ReplyStream>(*job, name, socket, *call);
    response.set_header("Cache-Control", "no-cache");
    response.set_chunked_content_provider(
        "text/event-stream", [stream](size_t, httplib::DataSink& sink) { return stream->next([&](const std::string& s) { return sink.write(s.data(), s.size()); }, sink.done); },
        [this, job = *job](bool) {
          job->cancel();
          --handlers_;
        });
  }

  // Waits for the end of a job, which a client that leaves cancels; `see` gets what comes before.
  template <class F>
  static Event last_event(Job& job, int socket, const F& see) {
    while (true) {
      auto event = job.wait(std::chrono::milliseconds(50));
      if (peer_gone(socket)) job.cancel();
      if (!event) continue;
      if (event->kind == Event::Kind::failed || event->kind == Event::Kind::done) return std::move(*event);
      see(*event);
    }
  }

  void whole_answer(Job& job, const ChatCall& call, const std::string& model, int socket, httplib::Response& response) {
    ++handlers_;
    Json logprobs = Json::array();
    const Event last = last_event(job, socket, [&](const Event& event) {
      if (event.kind == Event::Kind::text && event.logprob) logprobs.push_back(logprob_json(*event.logprob, event.top));
    });
    if (last.kind == Event::Kind::done)
      reply(response, 200, completion_json(model, last.answer, last.queue_ms, call.request.top_logprobs >= 0 ? &logprobs : nullptr));
    else
      reply_error(response, last.error, is_picture_error(last.error) ? 422 : 0);
    --handlers_;
  }

  ServerOptions options_;
  MakeAnswerer make_;
  int port_ = 0;
  std::mutex mutex_;  // guards what loading writes
  std::unique_ptr<Answerer> answerer_;
  std::optional<Error> load_error_;
  double progress_ = 0;
  std::string phase_ = "Starting";
  std::atomic<int> handlers_{0};
  enum class Life { bound, running, ended };
  std::mutex life_mutex_;  // guards stopped_ and the step from bound to running
  bool stopped_ = false;
  std::atomic<Life> life_{Life::bound};
  JobQueue jobs_;
  httplib::Server http_;
};

Server::Server(ServerOptions options, MakeAnswerer make) : impl_(std::make_unique<Impl>(std::move(options), std::move(make))) {}
Server::~Server() = default;
Result<int> Server::bind() { return impl_->bind(); }
void Server::run() { impl_->run(); }
void Server::stop(const std::string& reason) { impl_->stop(reason); }

}  // namespace lava::server
