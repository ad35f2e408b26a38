// Speaks docs/api.md without a model, for the tests of its clients. What goes wrong is chosen by LAVA_FAKE (the process) and by
// the last question (one answer); see the lists in run() and answer().
#include <httplib.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

using json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

struct Asked {
  std::string question;
  int pictures = 0, turns = 0;
  json regions = json::array();
  int max_tokens = 0;
};

std::atomic<bool> cancelled = false;
std::atomic<int> requests = 0;
std::mutex last_mutex;
json last_request;

Asked read_request(const json& body) {
  Asked asked;
  asked.max_tokens = body.value("max_tokens", 0);
  for (const json& message : body.at("messages")) {
    ++asked.turns;
    asked.question.clear();
    const json& content = message.at("content");
    if (content.is_string())
      asked.question = content;
    else
      for (const json& part : content) {
        if (part.at("type") == "text")
          asked.question = part.at("text");
        else if (part.at("image_url").at("url").get<std::string>().starts_with("data:image/"))
          asked.regions.push_back(part.value("regions", json::array())), ++asked.pictures;
      }
  }
  return asked;
}

bool is(const Asked& asked, const char* word) { return asked.question.find(word) != std::string::npos; }

std::string event(const json& data) { return std::string("data: ").append(data.dump()).append("\n\n"); }
std::string delta(const std::string& text) {
  return event(
      {{"object", "chat.completion.chunk"}, {"choices", {{{"index", 0}, {"delta", {{"content", text}}}, {"finish_reason", nullptr}}}}});
}
std::string progress(const char* phase, int done, int total) {
  return event(
      {{"object", "lavascope.progress"}, {"choices", json::array()}, {"lavascope", {{"phase", phase}, {"done", done}, {"total", total}}}});
}

// "🐈 A cat sits on a mat." with the cat's and the mat's place, in bytes.
std::string last_chunk(const Asked& asked) {
  json boxes = json::array();
  if (asked.pictures > 0)
    boxes = {{{"label", "cat"}, {"box", {20.5, 30, 120, 140}}, {"start", 7}, {"end", 10}, {"picture", asked.pictures - 1}},
             {{"label", "mat"}, {"box", {10, 100, 290, 190}}, {"start", 21}, {"end", 24}, {"picture", asked.pictures - 1}}};
  return event({{"object", "chat.completion.chunk"},
                {"choices", {{{"index", 0}, {"delta", json::object()}, {"finish_reason", "stop"}}}},
                {"lavascope", {{"boxes", boxes}, {"timings", {{"decode_tokens", 8}, {"tokens_per_s", 40.0}, {"first_token_ms", 12.5}}}}}});
}

// The whole default answer as bytes of the stream.
std::string whole_answer(const Asked& asked) {
  std::string bytes = ": a comment\n\n";
  bytes += progress("queued", 0, 1);
  for (int i = 1; i <= asked.pictures; ++i) bytes += progress("picture", i, asked.pictures);
  bytes += progress("prompt", 40, 40);
  for (const char* word : {"🐈", " A", " cat", " sits", " on", " a", " mat", "."}) bytes += delta(word);
  return bytes + last_chunk(asked) + "data: [DONE]\n\n";
}

bool send(httplib::DataSink& sink, const std::string& bytes) { return sink.write(bytes.data(), bytes.size()); }

bool send_slowly(httplib::DataSink& sink) {
  for (int i = 0; i < 600; ++i) {
    if (!send(sink, delta("word ")) || !sink.is_writable()) {
      cancelled = true;
      return false;
    }
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

bool send_in_pieces(httplib::DataSink& sink, std::string bytes) {
  for (size_t at = 0; (at = bytes.find('\n', at)) != std::string::npos; at += 2) bytes.insert(at, 1, '\r');
  for (size_t i = 0; i < bytes.size(); i += 3)
    if (!send(sink, bytes.substr(i, 3))) return false;
  return true;
}

bool answer(const Asked& asked, httplib::DataSink& sink) {
  if (is(asked, "crash")) {
    send(sink, delta("Half an"));
    std::this_thread::sleep_for(100ms);
    std::cerr << "fake engine: out of luck" << std::endl;
    _exit(3);
  }
  if (is(asked, "device")) {
    send(sink, delta("Half an") + event({{"error", {{"message", "The device stopped working."}, {"code", "device_lost"}}}}));
    sink.done();
    std::thread([] {
      std::this_thread::sleep_for(100ms);
      _exit(75);
    }).detach();
    return true;
  }
  bool going = true;
  if (is(asked, "slow"))
    going = send_slowly(sink);
  else if (is(asked, "pieces"))
    going = send_in_pieces(sink, whole_answer(asked));
  else if (is(asked, "cut"))
    going = send(sink, delta("Half an"));
  else if (is(asked, "broken"))
    going = send(sink, "data: {\"choices\": nonsense}\n\n");
  else if (is(asked, "illegal"))
    going = send(sink, "data: {\"choices\":[{\"delta\":{\"content\":\"a\xFF z\"}}]}\n\n" + last_chunk(asked) + "data: [DONE]\n\n");
  else if (is(asked, "fails"))
    going =
        send(sink, delta("Half an") +
                       event({{"error", {{"message", "The memory is full."}, {"cause", "12 GB wanted"}, {"remedy", "Ask for less."}}}}));
  else if (is(asked, "huge")) {
    const std::string megabyte(1 << 20, 'x');
    going = send(sink, "data: ");
    for (int i = 0; i < 64 && going; ++i) going = send(sink, megabyte);
  } else
    going = send(sink, whole_answer(asked));
  if (going) sink.done();
  return going;
}

// What was asked, kept for /test/last; nothing when it is refused.
std::optional<Asked> understand(const httplib::Request& request, httplib::Response& response) {
  Asked asked;
  try {
    const json body = json::parse(request.body);
    asked = read_request(body);
    std::lock_guard lock(last_mutex);
    last_request = {{"path", request.path},
                    {"turns", asked.turns},
                    {"pictures", asked.pictures},
                    {"regions", asked.regions},
                    {"max_tokens", asked.max_tokens},
                    {"stream", body.value("stream", false)},
                    {"model", body.value("model", "")},
                    {"extension", body.contains("lavascope")},
                    {"question", asked.question}};
  } catch (const std::exception& problem) {
    response.status = 400;
    response.set_content(json{{"error", {{"message", problem.what()}}}}.dump(), "application/json");
    return std::nullopt;
  }
  if (is(asked, "undecodable")) {
    response.status = 422;
    response.set_content(
        R"({"error":{"message":"The picture cannot be read.","cause":"picture 1, it is not a PNG","remedy":"Save it again."}})",
        "application/json");
    return std::nullopt;
  }
  return asked;
}

void complete(const httplib::Request& request, httplib::Response& response) {
  if (const auto asked = understand(request, response))
    response.set_chunked_content_provider("text/event-stream", [asked](size_t, httplib::DataSink& sink) { return answer(*asked, sink); });
}

void prepare(const httplib::Request& request, httplib::Response& response) {
  const auto asked = understand(request, response);
  if (!asked) return;
  if (is(*asked, "slow"))
    response.set_chunked_content_provider("application/json", [](size_t, httplib::DataSink& sink) { return send_slowly(sink); });
  else
    response.set_content(is(*asked, "broken") ? "nonsense" : R"({"pictures":[{"tokens":29,"cached":false}],"timings":{"encode_ms":80.5,"prompt_tokens":40}})",
                         "application/json");
}

// What is no engine at all; true: it has answered.
bool answered_otherwise(const std::string& fake, const httplib::Request& request, httplib::Response& response) {
  if (request.path.starts_with("/test/")) return false;
  ++requests;
  if (fake == "html") response.set_content("<!doctype html><title>Welcome</title><h1>It works!</h1>", "text/html");
  if (fake.starts_with("redirect:")) response.set_redirect(fake.substr(9) + request.path, 307);
  if (fake == "busy") response.status = 502;
  return fake == "html" || fake == "busy" || fake.starts_with("redirect:");
}

// The list of models, and /props where a server of another kind has them.
std::string models_of(const std::string& fake) {
  if (fake == "no_models") return R"({"object":"list","data":[]})";
  if (fake == "router") return R"({"data":[{"id":"a/embed-1"},{"id":"b/words-2.5","architecture":{"input_modalities":["text"]}},{"id":"c/sees-3.1-pro","architecture":{"input_modalities":["text","image"]}}]})";
  return R"({"object":"list","data":[{"id":"someone/llava"}]})";
}
bool is_foreign(const std::string& fake) { return fake == "foreign" || fake == "no_models" || fake == "router" || fake == "llama"; }

int run(const std::string& fake, const std::string& token, const std::string& backend, int port) {
  httplib::Server server;
  const auto started = std::chrono::steady_clock::now();
  server.set_pre_routing_handler([&](const httplib::Request& request, httplib::Response& response) {
    if (answered_otherwise(fake, request, response)) return httplib::Server::HandlerResponse::Handled;
    if (request.path == "/health" || request.get_header_value("Authorization") == std::string("Bearer ").append(token))
      return httplib::Server::HandlerResponse::Unhandled;
    response.status = 401;
    return httplib::Server::HandlerResponse::Handled;
  });
  server.Get("/health", [&](const httplib::Request&, httplib::Response& response) {
    if (fake == "foreign") return;  // status 200 and nothing else
    if (fake == "no_models" || fake == "router") {
      response.status = 404;
      return;
    }
    if (fake == "mute") std::this_thread::sleep_for(100s);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    const double progress = fake == "slow_load" ? std::min(1.0, seconds / 1.2) : 1;
    json health = {{"status", "ok"}, {"progress", 1}, {"phase", "Ready"}};
    if (fake == "llama" && seconds < 1) {
      response.status = 503;
      response.set_content(R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})", "application/json");
      return;
    }
    if (progress < 1) health = {{"status", "loading"}, {"progress", progress}, {"phase", "Loading model"}};
    if (fake == "load_error")
      health = {{"status", "error"},
                {"error", {{"message", "The model file ends early."}, {"cause", "tensor x"}, {"remedy", "Download it again."}}}};
    if (fake == "only_cpu" && backend != "cpu")
      health = {{"status", "error"},
                {"error", {{"message", "There is no such device."}, {"cause", backend}, {"remedy", "Choose another device."}, {"code", "not_found"}}}};
    if (health["status"] != "ok") response.status = 503;
    response.set_content(health.dump(), "application/json");
    if (fake == "crash_loading") _exit(7);
  });
  server.Get("/v1/models", [&](const httplib::Request&, httplib::Response& response) { response.set_content(models_of(fake), "application/json"); });
  server.Get("/props", [&](const httplib::Request&, httplib::Response& response) {
    if (fake == "llama") return response.set_content(R"({"modalities":{"vision":false,"audio":false}})", "application/json");
    response.status = is_foreign(fake) ? 404 : 200;
    if (is_foreign(fake)) return;
    response.set_content(json{{"model", "fake"}, {"vision", fake != "blind"}, {"grounding", "boxes"}, {"backend", backend}, {"device", "Fake of " + backend}}.dump(), "application/json");
  });
  server.Get("/test/last", [](const httplib::Request&, httplib::Response& response) {
    std::lock_guard lock(last_mutex);
    json last = last_request;
    last["cancelled"] = cancelled.load();
    last["requests"] = requests.load();
    response.set_content(last.dump(), "application/json");
  });
  server.Post("/v1/chat/completions", complete);
  server.Post("/v1/lavascope/prepare", prepare);
  if (fake == "garbage")
    std::cout << "not json\n{\"listening\": 17}\n{\"listening\":\"ftp://x:1\"}\n[]\n" << std::string(200000, 'z') << std::endl;
  const int bound = port > 0 && server.bind_to_port("127.0.0.1", port) ? port : port > 0 ? -1 : server.bind_to_any_port("127.0.0.1");
  if (bound < 0) return 1;
  std::cout << json{{"listening", std::string("http://127.0.0.1:").append(std::to_string(bound))}}.dump() << std::endl;
  server.listen_after_bind();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const char* chosen = std::getenv("LAVA_FAKE");
  const std::string fake = chosen ? chosen : "";
  bool control = false;
  std::string device = "cpu";
  int port = 0;
  for (int i = 1; i < argc; ++i) {
    control |= std::strcmp(argv[i], "--control") == 0;
    if (std::strcmp(argv[i], "--device") == 0 && i + 1 < argc) device = argv[i + 1];
    if (std::strcmp(argv[i], "--port") == 0 && i + 1 < argc) port = std::atoi(argv[i + 1]);
  }
  if (fake == "crash_start") {
    std::cerr << "fake engine: first line\nfake engine: the model is made of cheese" << std::endl;
    abort();
  }
  if (fake == "silent") std::this_thread::sleep_for(100s);
  if (fake == "stubborn") signal(SIGTERM, SIG_IGN);
  std::string token = std::getenv("LAVASCOPE_TOKEN") ? std::getenv("LAVASCOPE_TOKEN") : "secret";
  if (control) {
    std::string line;
    std::getline(std::cin, line);
    token = json::parse(line).at("token");
    if (fake != "stubborn")
      std::thread([] {
        while (std::cin.get() != EOF) {
        }
        _exit(0);
      }).detach();
  }
  return run(fake, token, device.substr(0, device.find(':')), port);
}
