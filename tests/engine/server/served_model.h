// The server before a model that answers what the test wants.
#pragma once
#include <gtest/gtest.h>
#include <httplib.h>

#include "engine/server/server.h"

namespace lava::server {

using namespace std::chrono_literals;

// Answers with the words it is given, one every few milliseconds; waits for cancelling when asked "wait".
class FakeModel : public Answerer {
 public:
  FakeModel() {
    report_.name = "fake";
    report_.context = 128;
    report_.vision = "eyes";
    report_.grounding = "boxes";
  }
  const ModelReport& report() const override { return report_; }
  const DeviceInfo& device() const override { return device_; }
  Result<Answer> answer(const lava::Request& request) override {
    ++calls;
    const std::string& text = request.messages.back().parts.back().text;
    if (request.on_progress) request.on_progress("prompt", 3, 7);
    while (text == "wait" && !request.cancel->load()) std::this_thread::sleep_for(1ms);
    while (text == "chatter" && !request.cancel->load()) {
      request.on_text("on ", nullptr, {});
      std::this_thread::sleep_for(1ms);
    }
    if (request.cancel->load()) {
      ++cancelled;
      return fail(Error::Kind::cancelled, "The request was cancelled");
    }
    if (text == "break") return fail(Error::Kind::internal, "It broke", "because", "Mend it");
    Answer answer;
    for (const char* word : {"A ", "caf\xc3\xa9 ", "cat"}) {
      const TokenLogprob logprob{1, word, -0.5f};
      request.on_text(word, request.top_logprobs >= 0 ? &logprob : nullptr, {});
      answer.text += word;
    }
    answer.finish_reason = "stop";
    answer.boxes.push_back({"cat", {1, 2, 3, 4}, 9, 12, 12, 12, 0});
    answer.timings.prompt_tokens = 7;
    answer.timings.decode_tokens = 3;
    seed = request.sampling.seed;
    for (const MessagePart& part : request.messages.back().parts) regions.insert(regions.end(), part.regions.begin(), part.regions.end());
    return answer;
  }
  // Looks for as long as the test holds it.
  Result<Prepared> prepare(const lava::Request& request) override {
    ++preparations;
    while (hold_preparations && !request.cancel->load()) {
      request.on_progress("prompt", 3, 7);
      std::this_thread::sleep_for(1ms);
    }
    if (request.cancel->load()) {
      ++cancelled;
      return fail(Error::Kind::cancelled, "The request was cancelled");
    }
    Prepared prepared;
    prepared.pictures.push_back({{640, 480}, 29, true});
    prepared.timings.prompt_tokens = 40;
    prepared.timings.cached_tokens = 11;
    return prepared;
  }
  Result<Detections> detect(const DetectRequest& request) override {
    ++calls;
    rules = request.rules;
    while (request.rules.max == 99 && !request.cancel->load()) std::this_thread::sleep_for(1ms);
    if (request.cancel->load()) {
      ++cancelled;
      return fail(Error::Kind::cancelled, "The request was cancelled");
    }
    if (request.rules.max == 98) return fail(Error::Kind::invalid, "The picture cannot be decoded", "its end is missing", "Choose another");
    picture_bytes = request.picture->size();
    return Detections{{640, 480}, {{"cat", {1.234f, 2, 3, 480}, 0.98766f}, {"mat", {0, 0, 640, 7}, 0.5f}}};
  }
  Result<std::pair<std::vector<View>, int>> preview(Size, int pictures) const override { return std::pair(std::vector<View>(1), 5 * pictures); }

  std::atomic<int> calls{0}, preparations{0}, cancelled{0};
  std::atomic<bool> hold_preparations{false};
  std::optional<uint64_t> seed;
  DetectRules rules;
  size_t picture_bytes = 0;
  std::vector<PictureRegion> regions;

 private:
  ModelReport report_;
  DeviceInfo device_;
};

inline constexpr const char* one_pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGPgEpEDAABoAD1UCKP3AAAAAElFTkSuQmCC";

class ServerTest : public testing::Test {
 protected:
  void SetUp() override { begin({}); }
  void begin(ServerOptions options) {
    options.access.token = "secret-token";
    options.access.origins = {"http://good.example"};
    server_ = std::make_unique<Server>(options, [this](const Progress&) -> Result<std::unique_ptr<Answerer>> {
      while (hold_) std::this_thread::sleep_for(1ms);
      auto model = std::make_unique<FakeModel>();
      model_ = model.get();
      return model;
    });
    const auto port = server_->bind();
    ASSERT_TRUE(port) << port.error().message();
    port_ = *port;
    thread_ = std::thread([this] { server_->run(); });
    for (int i = 0; i < 1000 && !hold_ && !healthy(); ++i) std::this_thread::sleep_for(2ms);
  }
  void TearDown() override {
    hold_ = false;
    server_->stop("over");
    thread_.join();
  }
  bool healthy() {
    auto answer = client().Get("/health");
    return answer && answer->status == 200;
  }
  httplib::Client client() const {
    httplib::Client c("127.0.0.1", port_);
    c.set_default_headers({{"Authorization", "Bearer secret-token"}});
    c.set_read_timeout(30);
    return c;
  }
  httplib::Result post(const Json& body) const { return client().Post("/v1/chat/completions", body.dump(), "application/json"); }
  static Json question(const std::string& text) { return {{"messages", Json::array({Json{{"role", "user"}, {"content", text}}})}}; }

  std::atomic<bool> hold_{false};
  FakeModel* model_ = nullptr;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  int port_ = 0;
};

// The smallest picture that can be told from its bytes: 1 x 1, grey.
inline const std::string pgm = "P5\n1 1\n255\n\x80";
inline const std::string pgm_url = "data:image/x-portable-graymap;base64,UDUKMSAxCjI1NQqA";

}  // namespace lava::server
