// One HTTP request that blocks its thread and can be cancelled at once from another.
#pragma once
#include <QByteArray>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace lava::app {

struct HttpRequest {
  QByteArray url;
  QByteArray token;  // bearer token; empty: none
  QByteArray body;   // JSON; a POST when `post`
  bool post = false;
  long timeout_ms = 0;  // for the whole call; 0: none
};

struct HttpOutcome {
  enum class End { complete, cancelled, refused, broken };  // refused: no connection was made; broken: it ended early
  enum class Trouble { none, no_host, unreached, silent, tls, not_http, other };
  End end = End::broken;
  Trouble trouble = Trouble::none;
  long status = 0;       // 0: no answer
  std::string cause;     // for refused and broken
  std::string redirect;  // where a 3xx answer points to; nothing follows it
};

class HttpCall {
 public:
  // Gets the bytes as they come, with the status of the answer; false ends the call as cancelled.
  using OnData = std::function<bool(long status, QByteArrayView)>;
  HttpCall();
  ~HttpCall();
  HttpOutcome perform(const HttpRequest& request, const OnData& on_data);
  void cancel();  // any thread; also a later perform() then ends at once

 private:
  struct Multi;
  std::unique_ptr<Multi> multi_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace lava::app
