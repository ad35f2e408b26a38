// The server before a model that answers what the test wants: access, fields, streaming, queue, cancelling.
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>

#include "tests/engine/server/served_model.h"

namespace lava::server {
namespace {

TEST_F(ServerTest, RegionsGoWithTheirPicture) {
  const Json picture = {{"type", "image_url"}, {"image_url", {{"url", one_pixel}}}, {"regions", Json::array({Json::array({0, 0.25, 1, 0.75}), Json::array({0, 0, 1, 1})})}};
  const Json text = {{"type", "text"}, {"text", "What is [region]?"}};
  const auto answer = post({{"messages", Json::array({Json{{"role", "user"}, {"content", Json::array({picture, text})}}})}});
  ASSERT_EQ(answer->status, 200) << answer->body;
  ASSERT_EQ(model_->regions.size(), 2u);
  EXPECT_EQ(model_->regions[0].y1, 0.25f);
  EXPECT_EQ(model_->regions[0].y2, 0.75f);
  EXPECT_EQ(model_->regions[1].x2, 1);
}

TEST_F(ServerTest, WholeAnswer) {
  const auto answer = post(question("hi"));
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 200) << answer->body;
  const Json json = Json::parse(answer->body);
  EXPECT_EQ(json["choices"][0]["message"]["content"], "A caf\xc3\xa9 cat");
  EXPECT_EQ(json["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(json["usage"]["total_tokens"], 10);
  EXPECT_EQ(json["lavascope"]["boxes"][0]["label"], "cat");
  EXPECT_EQ(json["lavascope"]["boxes"][0]["box"], Json::array({1.0, 2.0, 3.0, 4.0}));
}

TEST_F(ServerTest, StreamEndsWithDoneAndCarriesEvents) {
  Json body = question("hi");
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  body["lavascope"] = {{"events", true}};
  const auto answer = post(body);
  ASSERT_TRUE(answer);
  std::istringstream lines(answer->body);
  std::string line, text;
  bool progress = false, usage = false, boxes = false, done = false;
  while (std::getline(lines, line)) {
    if (line.rfind("data: ", 0) != 0) continue;
    if (line == "data: [DONE]") {
      done = true;
      continue;
    }
    const Json json = Json::parse(line.substr(6));
    progress |= json["object"] == "lavascope.progress" && json["lavascope"]["phase"] == "prompt";
    usage |= json.contains("usage");
    boxes |= json.contains("lavascope") && json["lavascope"].contains("boxes");
    if (!json["choices"].empty() && json["choices"][0]["delta"].contains("content")) text += json["choices"][0]["delta"]["content"].get<std::string>();
  }
  EXPECT_EQ(text, "A caf\xc3\xa9 cat");
  EXPECT_TRUE(progress && usage && boxes && done) << answer->body;
}

TEST_F(ServerTest, ErrorsInTheStreamEndItWithoutDone) {
  Json body = question("break");
  body["stream"] = true;
  const auto answer = post(body);
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->body.find("\"message\":\"It broke\""), std::string::npos);
  EXPECT_NE(answer->body.find("\"remedy\":\"Mend it\""), std::string::npos);
  EXPECT_EQ(answer->body.find("[DONE]"), std::string::npos);
  const auto whole = post(question("break"));
  EXPECT_EQ(whole->status, 500);
}

TEST_F(ServerTest, DetectAnswersAPictureInAnyForm) {
  const auto expect = [&](const httplib::Result& answer, float threshold, int max) {
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(Json::parse(answer->body), Json::parse(R"({"width":640,"height":480,"objects":[
        {"label":"cat","box":[1.23,2.0,3.0,480.0],"score":0.9877},{"label":"mat","box":[0.0,0.0,640.0,7.0],"score":0.5}]})"));
    EXPECT_EQ(model_->picture_bytes, pgm.size());
    EXPECT_EQ(model_->rules.threshold, threshold);
    EXPECT_EQ(model_->rules.max, max);
  };
  for (const char* type : {"image/png", "application/octet-stream", "application/x-www-form-urlencoded", "application/json"})
    expect(client().Post("/v1/detect", pgm, type), 0.45f, 20);
  expect(client().Post("/v1/detect?threshold=0.25&max=3&model=fake", pgm, "image/png"), 0.25f, 3);
  expect(client().Post("/v1/detect", Json{{"image_url", {{"url", pgm_url}}}, {"threshold", 0}, {"max", 100}}.dump(), "application/json"), 0, 100);
  expect(client().Post("/v1/detect?max=7", " " + Json{{"image_url", pgm_url}, {"model", "default"}}.dump(), "text/plain"), 0.45f, 7);
  EXPECT_EQ(model_->calls, 7);
}

TEST_F(ServerTest, DetectRefusesWhatItCannotUse) {
  const auto expect = [&](const std::string& address, const std::string& body, int status, const std::string& word) {
    const auto answer = client().Post("/v1/detect" + address, body, "application/json");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status) << answer->body;
    EXPECT_NE(answer->body.find(word), std::string::npos) << word << " in " << answer->body;
    EXPECT_TRUE(Json::parse(answer->body)["error"]["message"].is_string());
  };
  expect("", "", 400, "empty");
  expect("", "no picture at all", 422, "picture");
  expect("", "P5\n60000 60000\n255\n", 422, "picture");
  expect("", "{}", 400, "image_url");
  expect("", "[1]", 400, "object");
  expect("", "{\"image_url\":", 400, "JSON");
  expect("", R"({"image_url":"http://x/y.png"})", 400, "never followed");
  expect("", R"({"image_url":"data:image/png;base64,Q*JD"})", 400, "base64");
  expect("", R"({"image_url":"data:image/png;base64,QUJD"})", 422, "picture");
  expect("", Json{{"image_url", pgm_url}, {"colour", 1}}.dump(), 400, "colour");
  expect("?colour=1", pgm, 400, "colour");
  expect("?threshold=high", pgm, 400, "threshold");
  expect("?threshold=nan", pgm, 400, "threshold");
  expect("?threshold=1.5", pgm, 400, "between 0 and 1");
  expect("?max=0", pgm, 400, "between 1 and 100");
  expect("?max=2.5", pgm, 400, "whole number");
  expect("?max=2&max=3", pgm, 400, "twice");
  expect("?image_url=x", pgm, 400, "body");
  expect("?model=other", pgm, 404, "fake");
  EXPECT_EQ(model_->calls, 0);
  expect("?max=98", pgm, 422, "its end is missing");
  httplib::Client bare("127.0.0.1", port_);
  EXPECT_EQ(bare.Post("/v1/detect", pgm, "image/png")->status, 401);
  EXPECT_EQ(client().Post("/v1/detect", {{"Origin", "http://evil.example"}}, pgm, "image/png")->status, 403);
  EXPECT_EQ(client().Get("/v1/detect")->status, 404);
}

TEST_F(ServerTest, TokenHostAndOriginAreChecked) {
  httplib::Client bare("127.0.0.1", port_);
  EXPECT_EQ(bare.Get("/v1/models")->status, 401);
  EXPECT_EQ(bare.Get("/health")->status, 200);
  EXPECT_EQ(bare.Get("/v1/models", {{"Authorization", "Bearer secret-tokem"}})->status, 401);
  EXPECT_EQ(client().Get("/v1/models", {{"Host", "evil.example"}})->status, 403);
  EXPECT_EQ(client().Get("/v1/models", {{"Origin", "null"}})->status, 403);
  EXPECT_EQ(client().Get("/v1/models", {{"Origin", "http://evil.example"}})->status, 403);
  const auto good = client().Get("/v1/models", {{"Origin", "http://good.example"}});
  EXPECT_EQ(good->status, 200);
  EXPECT_EQ(good->get_header_value("Access-Control-Allow-Origin"), "http://good.example");
  EXPECT_EQ(client().Get("/nowhere")->status, 404);
}

TEST_F(ServerTest, BadFieldsAreNamed) {
  const auto expect = [&](Json body, const std::string& word, int status = 400) {
    const auto answer = post(body);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status) << answer->body;
    EXPECT_NE(answer->body.find(word), std::string::npos) << word << " in " << answer->body;
  };
  Json body = question("hi");
  body["temperature"] = -1;
  expect(body, "temperature");
  body = question("hi");
  body["temperature"] = "hot";
  expect(body, "temperature");
  body = question("hi");
  body["tools"] = Json::array({Json::object()});
  expect(body, "tools");
  body = question("hi");
  body["nonsense"] = 1;
  expect(body, "nonsense");
  body = question("hi");
  body["max_tokens"] = 1e99;
  expect(body, "between 1 and 1000000\"");
  body = question("hi");
  body["seed"] = 1e30;
  expect(body, "64 bits");
  body = question("hi");
  body["lavascope"] = {{"event", true}};
  expect(body, "lavascope.event ");
  body = question("hi");
  body["model"] = "other";
  expect(body, "fake", 404);
  expect({{"messages", Json::array()}}, "messages");
  expect(Json::array(), "object");
  body = {{"messages", Json::array({Json{{"role", "user"}, {"content", Json::array({Json{{"type", "image_url"}, {"image_url", {{"url", "http://x/y.png"}}}}})}}})}};
  expect(body, "never followed");
  body["messages"][0]["content"][0]["image_url"]["url"] = "data:image/png;base64,QUJD";
  expect(body, "picture 1", 422);
  body["messages"][0]["content"][0]["image_url"]["url"] = "data:image/png;base64,Q*JD";
  expect(body, "base64");
  Json& part = body["messages"][0]["content"][0];
  part["image_url"]["url"] = one_pixel;
  for (const Json& wrong : {Json(7), Json::array({1, 2, 3, 4}), Json::array({Json::array({1, 2, 3})}), Json::array({Json::array({1, 2, 3, "4"})}),
                            Json::array({Json::array({1, 2, 3, 1e9})}), Json(std::vector<Json>(11, Json::array({0, 0, 1, 1})))}) {
    part["regions"] = wrong;
    expect(body, "regions");
  }
  const auto broken = client().Post("/v1/chat/completions", "{\"messages\": [", "application/json");
  EXPECT_EQ(broken->status, 400);
  const auto deep = client().Post("/v1/chat/completions", std::string(100000, '['), "application/json");
  EXPECT_EQ(deep->status, 400);
  // Brackets and escaped quotes inside strings count for nothing.
  EXPECT_EQ(post(question("\\\"" + std::string(100, '[')))->status, 200);
  std::string many = R"({"messages":[{})";
  for (int i = 0; i < 1'000'000; ++i) many += ",{}";
  const auto crowded = client().Post("/v1/chat/completions", many + "]}", "application/json");
  ASSERT_TRUE(crowded);
  EXPECT_EQ(crowded->status, 413);
  EXPECT_NE(crowded->body.find("million"), std::string::npos);
  EXPECT_EQ(model_->calls, 1);
}

// Bodies that do not announce their length are bounded too.
TEST_F(ServerTest, EndlessBodiesAreRefused) {
  TearDown();
  ServerOptions options;
  options.limits.max_body = size_t{1} << 20;
  begin(options);
  const std::string block(100'000, ' ');
  size_t sent = 0;
  const auto answer = client().Post(
      "/v1/chat/completions",
      [&](size_t, httplib::DataSink& sink) {
        sent += block.size();
        if (sent > (size_t{1} << 21)) sink.done();
        return sink.write(block.data(), block.size());
      },
      "application/json");
  // The server may have closed the connection before all was sent; then the client has no answer.
  if (answer) {
    EXPECT_EQ(answer->status, 413) << answer->body;
  }
  const std::string known_length(size_t{3} << 20, ' ');
  const auto refused = client().Post("/v1/chat/completions", known_length, "application/json");
  if (refused) {
    EXPECT_EQ(refused->status, 413) << refused->body;
  }
  EXPECT_EQ(model_->calls, 0);
  EXPECT_EQ(post(question("hi"))->status, 200);
}

TEST_F(ServerTest, TheTypeOfTheBodyDoesNotMatterUnlessItHasParts) {
  Json body = question(std::string(20'000, 'x'));
  const auto form = client().Post("/v1/chat/completions", body.dump(), "application/x-www-form-urlencoded");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->status, 200) << form->body;
  const auto parts = client().Post("/v1/chat/completions", body.dump(), "multipart/form-data; boundary=x");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->status, 400);
  EXPECT_NE(parts->body.find("several parts"), std::string::npos) << parts->body;
}

TEST_F(ServerTest, SilentClientsDoNotLockOthersOut) {
  std::vector<int> sockets;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 60; ++i) {
    sockets.push_back(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(connect(sockets.back(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(send(sockets.back(), "GET /he", 7, 0), 7);
  }
  httplib::Client c("127.0.0.1", port_);
  c.set_read_timeout(5);
  const auto answer = c.Get("/health");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  for (const int s : sockets) close(s);
}

TEST_F(ServerTest, AddressesThatAreTooLongAreToldSo) {
  const auto answer = client().Get("/" + std::string(20'000, 'a'));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 414);
  EXPECT_NE(answer->body.find("too long"), std::string::npos) << answer->body;
}

TEST(ServerLife, AStopBeforeTheStartIsNotForgotten) {
  Server server({}, [](const Progress&) -> Result<std::unique_ptr<Answerer>> { return std::make_unique<FakeModel>(); });
  ASSERT_TRUE(server.bind());
  server.stop("over");
  server.run();  // returns
}

TEST_F(ServerTest, SeedsOfAllSizesArrive) {
  Json body = question("hi");
  body["seed"] = 123456789012345678;
  ASSERT_EQ(post(body)->status, 200);
  EXPECT_EQ(model_->seed, 123456789012345678u);
  body["seed"] = -1;
  ASSERT_EQ(post(body)->status, 200);
  EXPECT_EQ(model_->seed, ~0ull);
  body["seed"] = uint64_t{1} << 63;
  ASSERT_EQ(post(body)->status, 200);
  EXPECT_EQ(model_->seed, uint64_t{1} << 63);
}

TEST_F(ServerTest, AClientThatLeavesCancelsItsRequest) {
  for (const auto& [text, stream] : {std::pair("wait", true), {"wait", false}, {"chatter", false}}) {
    const int before = model_->cancelled;
    httplib::Client impatient("127.0.0.1", port_);
    impatient.set_read_timeout(0, 200'000);
    Json body = question(text);
    body["stream"] = stream;
    impatient.Post("/v1/chat/completions", {{"Authorization", "Bearer secret-token"}}, body.dump(), "application/json");
    impatient.stop();
    for (int i = 0; i < 5000 && model_->cancelled == before; ++i) std::this_thread::sleep_for(2ms);
    EXPECT_EQ(model_->cancelled, before + 1) << (stream ? "stream" : "whole");
  }
  const int before = model_->cancelled;
  httplib::Client impatient("127.0.0.1", port_);
  impatient.set_read_timeout(0, 200'000);
  impatient.Post("/v1/detect?max=99", {{"Authorization", "Bearer secret-token"}}, pgm, "image/png");
  impatient.stop();
  for (int i = 0; i < 5000 && model_->cancelled == before; ++i) std::this_thread::sleep_for(2ms);
  EXPECT_EQ(model_->cancelled, before + 1) << "detect";
  EXPECT_EQ(post(question("hi"))->status, 200);
}

TEST_F(ServerTest, AFullQueueSaysSo) {
  TearDown();
  ServerOptions options;
  options.queue = 1;
  begin(options);
  std::vector<std::thread> clients;
  std::atomic<int> busy{0};
  for (int i = 0; i < 3; ++i)
    clients.emplace_back([&, i] {
      httplib::Client c("127.0.0.1", port_);
      c.set_read_timeout(3);
      const httplib::Headers headers = {{"Authorization", "Bearer secret-token"}};
      const auto answer = i == 0 ? c.Post("/v1/detect?max=99", headers, pgm, "image/png")
                                 : c.Post("/v1/chat/completions", headers, question("wait").dump(), "application/json");
      if (answer && answer->status == 429) ++busy;
    });
  for (int i = 0; i < 2000 && busy == 0; ++i) std::this_thread::sleep_for(2ms);
  EXPECT_GE(busy, 1);
  for (auto& c : clients) c.join();
}

TEST_F(ServerTest, StoppingEndsRequestsWithASentence) {
  Json body = question("wait");
  body["stream"] = true;
  std::string received;
  std::thread asking([&] {
    const auto answer = post(body);
    if (answer) received = answer->body;
  });
  for (int i = 0; i < 5000 && model_->calls == 0; ++i) std::this_thread::sleep_for(1ms);
  server_->stop("The engine was stopped");
  asking.join();
  EXPECT_NE(received.find("The engine was stopped"), std::string::npos) << received;
}

TEST_F(ServerTest, SaysThatItLoads) {
  TearDown();
  hold_ = true;
  begin({});
  auto answer = client().Get("/health");
  for (int i = 0; i < 1000 && !answer; ++i) {
    std::this_thread::sleep_for(2ms);
    answer = client().Get("/health");
  }
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(Json::parse(answer->body)["status"], "loading");
  EXPECT_EQ(post(question("hi"))->status, 503);
  EXPECT_EQ(client().Post("/v1/detect", pgm, "image/png")->status, 503);
}

TEST_F(ServerTest, ATakenPortIsASentence) {
  ServerOptions options;
  options.port = port_;
  Server second(options, [](const Progress&) -> Result<std::unique_ptr<Answerer>> { return std::make_unique<FakeModel>(); });
  const auto port = second.bind();
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().message().find("port"), std::string::npos);
}

}  // namespace
}  // namespace lava::server
