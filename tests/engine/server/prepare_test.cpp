// Preparing before the question is written: the call, who goes first, what a waiting question is told, clients that leave.
#include <future>

#include "engine/server/jobs.h"
#include "tests/engine/server/served_model.h"

namespace lava::server {
namespace {

Json about(const std::string& url, const std::string& words) {
  const Json picture = {{"type", "image_url"}, {"image_url", {{"url", url}}}};
  return {{"messages", Json::array({Json{{"role", "user"}, {"content", Json::array({picture, Json{{"type", "text"}, {"text", words}}})}}})}};
}

class PrepareTest : public ServerTest {
 protected:
  using Reply = std::future<httplib::Result>;
  httplib::Result prepare(const Json& body) const { return client().Post("/v1/lavascope/prepare", body.dump(), "application/json"); }
  // A preparation that is being worked on until the model is let go.
  Reply begin_preparing(const Json& body) {
    const int before = model_->preparations;
    model_->hold_preparations = true;
    Reply reply = std::async(std::launch::async, [this, body] { return prepare(body); });
    until([&] { return model_->preparations > before; });
    return reply;
  }
  template <class Condition>
  static void until(const Condition& true_now) {
    for (int i = 0; i < 5000 && !true_now(); ++i) std::this_thread::sleep_for(2ms);
    EXPECT_TRUE(true_now());
  }
};

TEST_F(PrepareTest, TellsWhatItDid) {
  const auto answer = prepare(about(one_pixel, ""));
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 200) << answer->body;
  Json json = Json::parse(answer->body);
  EXPECT_GE(json["timings"]["queue_ms"].get<double>(), 0);
  json["timings"].erase("queue_ms");
  EXPECT_EQ(json, Json::parse(R"({"pictures":[{"width":640,"height":480,"tokens":29,"cached":true}],
      "timings":{"encode_ms":0.0,"prompt_ms":0.0,"prompt_tokens":40,"cached_tokens":11}})"));
  EXPECT_EQ(model_->calls, 0);
}

TEST_F(PrepareTest, RefusesWhatAQuestionWouldBeRefused) {
  const auto expect = [&](const std::string& body, int status, const std::string& word) {
    const auto answer = client().Post("/v1/lavascope/prepare", body, "application/json");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status) << answer->body;
    EXPECT_NE(answer->body.find(word), std::string::npos) << word << " in " << answer->body;
  };
  expect("", 400, "JSON");
  expect("[]", 400, "object");
  expect("{}", 400, "messages");
  expect(std::string(100'000, '['), 400, "nested");
  expect(about("http://x/y.png", "").dump(), 400, "never followed");
  expect(about("data:image/png;base64,QUJD", "").dump(), 422, "picture 1");
  expect(about("data:image/png;base64,Q*JD", "").dump(), 400, "base64");
  Json other = about(one_pixel, "");
  other["model"] = "other";
  expect(other.dump(), 404, "fake");
  other = about(one_pixel, "");
  other["nonsense"] = 1;
  expect(other.dump(), 400, "nonsense");
  EXPECT_EQ(model_->preparations, 0);
  httplib::Client bare("127.0.0.1", port_);
  EXPECT_EQ(bare.Post("/v1/lavascope/prepare", about(one_pixel, "").dump(), "application/json")->status, 401);
  EXPECT_EQ(client().Get("/v1/lavascope/prepare")->status, 404);
}

TEST_F(PrepareTest, AQuestionAboutSomethingElseGoesFirst) {
  for (const Json& other : {question("hi"), about(pgm_url, "What?")}) {
    Reply preparing = begin_preparing(about(one_pixel, ""));
    const auto answer = post(other);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200) << answer->body;
    const auto gave_way = preparing.get();
    ASSERT_TRUE(gave_way);
    EXPECT_EQ(gave_way->status, 499);
    EXPECT_NE(gave_way->body.find("gave way"), std::string::npos) << gave_way->body;
  }
  Reply preparing = begin_preparing(about(one_pixel, ""));
  EXPECT_EQ(client().Post("/v1/detect", pgm, "image/png")->status, 200);
  EXPECT_EQ(preparing.get()->status, 499);
}

TEST_F(PrepareTest, AQuestionAboutTheSamePictureUsesIt) {
  Reply preparing = begin_preparing(about(one_pixel, ""));
  Json asked = about(one_pixel, "What?");
  asked["stream"] = true;
  asked["lavascope"] = {{"events", true}};
  std::atomic<bool> told{false};
  std::thread asking([&] {
    std::string heard;
    httplib::Request request;
    request.method = "POST";
    request.path = "/v1/chat/completions";
    request.body = asked.dump();
    request.content_receiver = [&](const char* bytes, size_t size, uint64_t, uint64_t) {
      heard.append(bytes, size);
      told = told || heard.find(R"("phase":"prompt","done":3,"total":7)") != std::string::npos;
      return true;
    };
    EXPECT_TRUE(client().send(request));
    EXPECT_NE(heard.find("[DONE]"), std::string::npos) << heard;
    EXPECT_EQ(heard.find("queued"), std::string::npos) << heard;  // it is ahead of nobody else's work
  });
  until([&] { return told.load(); });  // how far the preparation is
  EXPECT_EQ(model_->calls, 0);
  EXPECT_EQ(model_->cancelled, 0);
  model_->hold_preparations = false;
  asking.join();
  EXPECT_EQ(preparing.get()->status, 200);
  EXPECT_EQ(model_->cancelled, 0);
}

TEST_F(PrepareTest, AFollowerThatLeavesProtectsItNoMore) {
  Reply preparing = begin_preparing(about(one_pixel, ""));
  httplib::Client impatient("127.0.0.1", port_);
  impatient.set_read_timeout(0, 200'000);
  impatient.Post("/v1/chat/completions", {{"Authorization", "Bearer secret-token"}}, about(one_pixel, "What?").dump(), "application/json");
  impatient.stop();
  EXPECT_EQ(post(question("hi"))->status, 200);
  EXPECT_EQ(preparing.get()->status, 499);
}

TEST_F(PrepareTest, AClientThatLeavesCancels) {
  model_->hold_preparations = true;
  httplib::Client impatient("127.0.0.1", port_);
  impatient.set_read_timeout(0, 200'000);
  impatient.Post("/v1/lavascope/prepare", {{"Authorization", "Bearer secret-token"}}, about(one_pixel, "").dump(), "application/json");
  impatient.stop();
  until([&] { return model_->cancelled == 1; });
}

TEST_F(PrepareTest, StoppingEndsIt) {
  Reply preparing = begin_preparing(about(one_pixel, ""));
  Reply waiting = std::async(std::launch::async, [this] { return prepare(about(pgm_url, "")); });
  server_->stop("The engine was stopped");
  for (Reply* reply : {&preparing, &waiting}) {
    const auto answer = reply->get();
    if (answer) {
      EXPECT_NE(answer->body.find("The engine was stopped"), std::string::npos) << answer->body;
    }
  }
}

// The queue by itself, where the order of arrival is certain.
class Line : public ::testing::Test {
 protected:
  using Submitted = Result<std::shared_ptr<Job>>;
  ~Line() override { jobs_.stop({Error::Kind::internal, "over", "", ""}); }
  void start() { jobs_.start([this] { return &model_; }); }
  static lava::Request words(const std::string& text, const std::string& picture = "") {
    lava::Request request;
    request.messages.push_back({ChatMessage::Role::user, {}});
    auto& parts = request.messages.back().parts;
    if (!picture.empty()) parts.push_back({MessagePart::Kind::picture, {}, std::make_shared<const std::string>(picture), {}});
    parts.push_back({MessagePart::Kind::text, text, nullptr, {}});
    return request;
  }
  static Event end_of(Job& job) {
    while (true)
      if (auto event = job.wait(10s); !event || event->kind == Event::Kind::done || event->kind == Event::Kind::failed) return event.value_or(Event());
  }

  FakeModel model_;
  JobQueue jobs_{1};
};

TEST_F(Line, PreparationsTakeNoPlaceOfAQuestionAndLetItPass) {
  std::vector<std::shared_ptr<Job>> preparations;
  for (const char* picture : {"a", "b", "c"}) preparations.push_back(*jobs_.submit(PrepareRequest{words("", picture)}));
  const Submitted first = jobs_.submit(words("hi")), second = jobs_.submit(words("hi"));
  ASSERT_TRUE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Error::Kind::busy);
  model_.hold_preparations = true;
  start();
  EXPECT_EQ(end_of(**first).kind, Event::Kind::done);
  model_.hold_preparations = false;
  for (const auto& preparation : preparations) EXPECT_EQ(end_of(*preparation).prepared.timings.prompt_tokens, 40);
  for (int i = 0; i < 1000 && !jobs_.idle(); ++i) std::this_thread::sleep_for(1ms);  // the end of a job is told a moment before its place is free
  EXPECT_TRUE(jobs_.idle());
}

TEST_F(Line, OnlySoManyWaitAndThoseThatLeftAreForgotten) {
  std::vector<std::shared_ptr<Job>> preparations;
  for (Submitted job = jobs_.submit(PrepareRequest{words("", "a")}); job; job = jobs_.submit(PrepareRequest{words("", "a")})) {
    preparations.push_back(*job);
    ASSERT_LT(preparations.size(), 100u);
  }
  preparations.front()->cancel();
  EXPECT_TRUE(jobs_.submit(PrepareRequest{words("", "a")}));
  const Event forgotten = end_of(*preparations.front());
  EXPECT_EQ(forgotten.kind, Event::Kind::failed);
  EXPECT_EQ(forgotten.error.kind, Error::Kind::cancelled);
}

TEST_F(Line, AQuestionCancelledWhileItWaitsEndsToo) {
  const Submitted job = jobs_.submit(words("hi"));
  (*job)->cancel();
  start();
  EXPECT_EQ(end_of(**job).error.kind, Error::Kind::cancelled);
  EXPECT_EQ(model_.calls, 0);
}

}  // namespace
}  // namespace lava::server
