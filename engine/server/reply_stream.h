// One streamed answer: events of a job become chunks of OpenAI's stream.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "engine/server/jobs.h"
#include "engine/server/wire.h"

namespace lava::server {

// A finished answer as OpenAI's chat.completion.
Json completion_json(const std::string& model, const Answer& answer, double queue_ms, const Json* logprobs);
Json view_json(const View& view);
bool is_picture_error(const Error& error);

class ReplyStream {
 public:
  ReplyStream(std::shared_ptr<Job> job, std::string model, int socket, const ChatCall& call);

  // Writes what has arrived, waiting a moment for it. False: give the connection up. Calls `end` after the last chunk.
  bool next(const std::function<bool(const std::string&)>& write, const std::function<void()>& end);

 private:
  Json chunk(const Json& delta, const char* finish, const Json& logprobs) const;
  bool write_done(const Event& event, const std::function<bool(const std::string&)>& write) const;

  std::shared_ptr<Job> job_;
  std::string id_, model_;
  int64_t created_;
  int socket_;
  bool usage_, events_, logprobs_, begun_ = false;
};

}  // namespace lava::server
