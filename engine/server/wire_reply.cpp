#include <cmath>

#include "engine/server/wire.h"
#include "kernels/error_names.h"

namespace lava::server {

int status_of(const Error& error) {
  switch (error.kind) {
    case Error::Kind::invalid: return 400;
    case Error::Kind::not_found: return 404;
    case Error::Kind::unsupported: return 400;
    case Error::Kind::too_large: return 413;
    case Error::Kind::busy: return 429;
    case Error::Kind::cancelled: return 499;
    case Error::Kind::out_of_memory:
    case Error::Kind::device_lost: return 503;
    case Error::Kind::io:
    case Error::Kind::internal: return 500;
  }
  return 500;
}

Json error_body(const Error& error) {
  const int status = status_of(error);
  return {{"error",
           {{"message", error.what},
            {"type", status == 401 || status == 403 ? "authentication_error" : status < 500 ? "invalid_request_error" : "server_error"},
            {"code", error_names[static_cast<size_t>(error.kind)]},
            {"param", nullptr},
            {"cause", error.cause},
            {"remedy", error.remedy}}}};
}

Json usage_json(const Timings& t) {
  return {{"prompt_tokens", t.prompt_tokens},
          {"completion_tokens", t.decode_tokens},
          {"total_tokens", t.prompt_tokens + t.decode_tokens},
          {"prompt_tokens_details", {{"cached_tokens", t.cached_tokens}}}};
}

static Json pictures_json(const std::vector<PictureReport>& reports) {
  Json pictures = Json::array();
  for (const PictureReport& p : reports)
    pictures.push_back({{"width", p.size.width}, {"height", p.size.height}, {"tokens", p.tokens}, {"cached", p.cached}});
  return pictures;
}

Json extension_json(const Answer& answer, double queue_ms) {
  Json boxes = Json::array();
  for (const AnswerBox& b : answer.boxes)
    boxes.push_back({{"label", b.label},
                     {"box", Json::array({b.box[0], b.box[1], b.box[2], b.box[3]})},
                     {"start", b.start},
                     {"end", b.end},
                     {"mark", Json::array({b.mark_start, b.mark_end})},
                     {"picture", b.picture}});
  const Timings& t = answer.timings;
  const double rate = t.decode_ms > 0 ? 1000.0 * t.decode_tokens / t.decode_ms : 0;
  return {{"boxes", boxes},
          {"pictures", pictures_json(answer.pictures)},
          {"timings",
           {{"queue_ms", queue_ms},
            {"encode_ms", t.encode_ms},
            {"prompt_ms", t.prompt_ms},
            {"prompt_tokens", t.prompt_tokens},
            {"cached_tokens", t.cached_tokens},
            {"first_token_ms", queue_ms + t.first_token_ms},
            {"decode_ms", t.decode_ms},
            {"decode_tokens", t.decode_tokens},
            {"tokens_per_s", rate}}}};
}

Json prepared_json(const Prepared& prepared, double queue_ms) {
  const Timings& t = prepared.timings;
  return {{"pictures", pictures_json(prepared.pictures)},
          {"timings",
           {{"queue_ms", queue_ms},
            {"encode_ms", t.encode_ms},
            {"prompt_ms", t.prompt_ms},
            {"prompt_tokens", t.prompt_tokens},
            {"cached_tokens", t.cached_tokens}}}};
}

Json detections_json(const Detections& detections) {
  const auto rounded = [](float value, double steps) { return std::round(double{value} * steps) / steps; };
  Json objects = Json::array();
  for (const Detection& d : detections.objects) {
    Json box = Json::array();
    for (const float edge : d.box) box.push_back(rounded(edge, 100));
    objects.push_back({{"label", d.label}, {"box", box}, {"score", rounded(d.score, 10'000)}});
  }
  return {{"width", detections.size.width}, {"height", detections.size.height}, {"objects", objects}};
}

Json logprob_json(const TokenLogprob& token, const std::vector<TokenLogprob>& top) {
  const auto entry = [](const TokenLogprob& t) {
    Json bytes = Json::array();
    for (const unsigned char c : t.bytes) bytes.push_back(c);
    return Json{{"token", t.bytes}, {"logprob", t.logprob}, {"bytes", bytes}};
  };
  Json json = entry(token);
  json["top_logprobs"] = Json::array();
  for (const TokenLogprob& t : top) json["top_logprobs"].push_back(entry(t));
  return json;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace lava::server
