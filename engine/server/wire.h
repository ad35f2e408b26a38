// JSON on the wire <-> requests and answers (docs/api.md).
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/core/assistant.h"

namespace lava::server {

using Json = nlohmann::ordered_json;

struct Limits {
  size_t max_body = size_t{64} << 20;
  int64_t max_pixels = 100'000'000;
  int max_tokens = 4096;
  int max_pictures = 64;
};

struct ChatCall {
  Request request;
  std::string model;
  bool stream = false, include_usage = false, events = false;
};

// Every field that would change the answer is either used or refused by name.
Result<ChatCall> parse_chat_call(const std::string& body, const Limits& limits);

struct PreviewCall {
  Size size;
  int pictures = 1;
};
Result<PreviewCall> parse_preview_call(const std::string& body);

struct DetectCall {
  DetectRequest request;
  std::string model;
};
// `body` is a picture's file, or JSON with one; `parameters` are those of the address and mean the same as the fields.
Result<DetectCall> parse_detect_call(std::string body, const std::multimap<std::string, std::string>& parameters, const Limits& limits);

// An HTTP status for a kind of error, and OpenAI's error body with cause and remedy.
int status_of(const Error& error);
Json error_body(const Error& error);

Json usage_json(const Timings& timings);
Json extension_json(const Answer& answer, double queue_ms);
Json prepared_json(const Prepared& prepared, double queue_ms);
Json detections_json(const Detections& detections);
Json logprob_json(const TokenLogprob& token, const std::vector<TokenLogprob>& top);
// Text that cannot break JSON: invalid UTF-8 becomes U+FFFD.
std::string dump(const Json& json);

}  // namespace lava::server
