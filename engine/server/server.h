// The engine's HTTP server (docs/api.md).
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "engine/server/access.h"
#include "engine/server/answerer.h"
#include "engine/server/wire.h"

namespace lava::server {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;   // 0 picks a free one
  int queue = 8;  // requests that may wait
  AccessRules access;
  Limits limits;
};

// Called on the model's thread; says how far loading is.
using Progress = std::function<void(double done, const char* phase)>;
using MakeAnswerer = std::function<Result<std::unique_ptr<Answerer>>(const Progress&)>;

class Server {
 public:
  Server(ServerOptions options, MakeAnswerer make);
  ~Server();

  Result<int> bind();  // the port
  void run();          // serves until stop(); loads the model meanwhile
  // Ends requests in flight with a sentence, then run() returns. Any thread, but not a signal handler.
  void stop(const std::string& reason);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lava::server
