#include <fmt/format.h>

#include <cmath>
#include <set>

#include "engine/media/picture.h"
#include "engine/server/base64.h"
#include "engine/server/wire.h"

namespace lava::server {
namespace {

using Kind = Error::Kind;

tl::unexpected<Error> bad_field(const std::string& field, const std::string& cause) {
  return fail(Kind::invalid, "The request's field " + field + " cannot be used", cause, "See docs/api.md for what is understood");
}

// Arrays and objects nested deeper than this are refused while parsing.
constexpr int max_depth = 32;

// Values in one request: far more than 10,000 messages have; each costs memory many times its bytes.
constexpr int most_values = 1'000'000;

// Before parsing. A callback of the parser would do, but its time grows with the square of the number of objects.
Result<void> check_structure(const std::string& body) {
  int depth = 0, values = 0;
  bool in_string = false;
  for (size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '"') in_string = !in_string;
    if (in_string) {
      i += c == '\\';
      continue;
    }
    values += c == ',' || c == '{' || c == '[';
    depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    if (depth > max_depth)
      return fail(Kind::invalid, "The request is nested too deeply", "more than 32 levels", "Send one JSON object as docs/api.md describes");
    if (values > most_values)
      return fail(Kind::too_large, "There are too many values in the request", "more than a million", "Start a new conversation");
  }
  return {};
}

Result<Json> parse_json(const std::string& body) {
  LAVA_CHECK_OK(check_structure(body));
  Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) return fail(Kind::invalid, "The request is not valid JSON", "", "Send one JSON object as the body");
  if (!json.is_object()) return fail(Kind::invalid, "The request is not a JSON object", {}, "Send one JSON object as the body");
  return json;
}

// A number between limits, or the default when the field is absent or null.
template <class T>
Result<T> number(const Json& json, const std::string& field, T fallback, double low, double high) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return fallback;
  if (!found->is_number()) return bad_field(field, "it must be a number");
  const double value = found->get<double>();
  if (!std::isfinite(value) || value < low || value > high)
    return bad_field(field, fmt::format("it must be between {} and {}", low, high));
  if constexpr (std::is_integral_v<T>) {
    if (value != std::floor(value)) return bad_field(field, "it must be a whole number");
    if (found->is_number_integer()) return found->get<T>();  // whole: a double holds only 53 bits
  }
  return static_cast<T>(value);
}

Result<bool> boolean(const Json& json, const std::string& field, bool fallback) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return fallback;
  if (!found->is_boolean()) return bad_field(field, "it must be true or false");
  return found->get<bool>();
}

using PictureFile = std::shared_ptr<const std::string>;

// The size is read before anything is queued, so that a bad picture is refused at once. `name` leads the cause of an error.
Result<PictureFile> check_picture(std::string bytes, const Limits& limits, const std::string& name) {
  media::DecodeLimits decode_limits;
  decode_limits.max_pixels = limits.max_pixels;
  auto size = media::picture_info(std::as_bytes(std::span(bytes.data(), bytes.size())), decode_limits);
  if (size) return std::make_shared<const std::string>(std::move(bytes));
  Error error = std::move(size).error();
  if (!name.empty()) error.cause = error.cause.empty() ? name : name + ", " + error.cause;
  return tl::unexpected<Error>(std::move(error));
}

// The field image_url of `part`, a data URL by itself or as the url of an object.
Result<PictureFile> picture_file(const Json& part, const Limits& limits, const std::string& name) {
  const auto found = part.find("image_url");
  std::string url;
  if (found != part.end() && found->is_object() && found->contains("url") && (*found)["url"].is_string())
    url = (*found)["url"].get<std::string>();
  else if (found != part.end() && found->is_string())
    url = found->get<std::string>();
  else
    return bad_field("image_url", "it needs a string \"url\"");
  if (url.rfind("data:", 0) != 0)
    return fail(Kind::unsupported, "Pictures must travel inside the request", name + " is a link, and links are never followed",
                "Send it as data:image/png;base64,...");
  const size_t comma = url.find(',');
  if (comma == std::string::npos || comma < 7 || url.compare(comma - 7, 7, ";base64") != 0)
    return bad_field("image_url", name + " is no base64 data URL");
  auto bytes = decode_base64(std::string_view(url).substr(comma + 1));
  if (!bytes) return bad_field("image_url", name + " holds characters that are not base64");
  return check_picture(std::move(*bytes), limits, name);
}

// Rectangles [x1, y1, x2, y2] of the picture that the user points at; whether they lie in it is checked with the picture.
Result<std::vector<PictureRegion>> picture_regions(const Json& part) {
  std::vector<PictureRegion> regions;
  const auto found = part.find("regions");
  if (found == part.end() || found->is_null()) return regions;
  if (!found->is_array() || found->size() > most_objects) return bad_field("regions", fmt::format("it must be a list of at most {} rectangles", most_objects));
  for (const Json& rectangle : *found) {
    float sides[4];
    bool usable = rectangle.is_array() && rectangle.size() == 4;
    for (size_t i = 0; usable && i < 4; ++i) {
      usable = rectangle[i].is_number() && std::abs(rectangle[i].get<double>()) < 1e6;
      if (usable) sides[i] = rectangle[i].get<float>();
    }
    if (!usable) return bad_field("regions", "each must be four numbers: left, top, right and bottom in pixels of the upright picture");
    regions.push_back({sides[0], sides[1], sides[2], sides[3]});
  }
  return regions;
}

Result<ChatMessage> message(const Json& json, const Limits& limits, int& pictures) {
  if (!json.is_object() || !json.contains("role") || !json["role"].is_string()) return bad_field("messages", "each needs a string \"role\"");
  const std::string role = json["role"].get<std::string>();
  ChatMessage out;
  if (role == "system" || role == "developer")
    out.role = ChatMessage::Role::system;
  else if (role == "assistant")
    out.role = ChatMessage::Role::assistant;
  else if (role != "user")
    return bad_field("role", "\"" + role.substr(0, 40) + "\" is none of system, user, assistant");
  const auto content = json.find("content");
  if (content == json.end() || content->is_null()) {
    if (json.contains("tool_calls")) return fail(Kind::unsupported, "Tool calls are not understood by this server yet");
    return bad_field("content", "it is missing");
  }
  if (content->is_string()) {
    out.parts.push_back({MessagePart::Kind::text, content->get<std::string>(), nullptr});
    return out;
  }
  if (!content->is_array()) return bad_field("content", "it must be a string or a list of parts");
  for (const Json& part : *content) {
    if (!part.is_object() || !part.contains("type") || !part["type"].is_string()) return bad_field("content", "each part needs a string \"type\"");
    const std::string type = part["type"].get<std::string>();
    if (type == "text") {
      if (!part.contains("text") || !part["text"].is_string()) return bad_field("text", "it must be a string");
      out.parts.push_back({MessagePart::Kind::text, part["text"].get<std::string>(), nullptr});
    } else if (type == "image_url") {
      if (out.role != ChatMessage::Role::user) return bad_field("content", "only user messages may hold pictures");
      if (++pictures > limits.max_pictures) return fail(Kind::too_large, "There are too many pictures in the request", fmt::format("at most {} are taken", limits.max_pictures), "Send fewer");
      LAVA_TRY(PictureFile picture, picture_file(part, limits, "picture " + std::to_string(pictures)));
      LAVA_TRY(std::vector<PictureRegion> regions, picture_regions(part));
      out.parts.push_back({MessagePart::Kind::picture, {}, std::move(picture), std::move(regions)});
    } else {
      return bad_field("type", "parts of kind \"" + type.substr(0, 40) + "\" are not understood");
    }
  }
  return out;
}

Result<std::string> model_name(const Json& json) {
  const auto found = json.find("model");
  if (found == json.end() || found->is_null()) return std::string();
  if (!found->is_string()) return bad_field("model", "it must be a string");
  return found->get<std::string>();
}

// Parameters of the address join the fields; a number is written as in JSON.
Result<void> add_parameters(const std::multimap<std::string, std::string>& parameters, Json& json) {
  for (const auto& [key, value] : parameters) {
    if (key == "image_url") return bad_field(key, "a picture belongs into the body");
    if (json.contains(key)) return bad_field(key.substr(0, 60), "it is given twice");
    const Json number = Json::parse(value, nullptr, false);
    json[key] = number.is_number() && key != "model" ? number : Json(value);
  }
  return {};
}

Result<std::vector<std::string>> stop_strings(const Json& json) {
  std::vector<std::string> stop;
  const auto found = json.find("stop");
  if (found == json.end() || found->is_null()) return stop;
  const Json list = found->is_array() ? *found : Json::array({*found});
  if (list.size() > 8) return bad_field("stop", "at most 8 strings");
  for (const Json& entry : list) {
    if (!entry.is_string() || entry.get_ref<const std::string&>().empty() || entry.get_ref<const std::string&>().size() > 1000)
      return bad_field("stop", "each must be a string of 1 to 1000 bytes");
    stop.push_back(entry.get<std::string>());
  }
  return stop;
}

// Fields that change nothing here, and those that would but are not supported unless they hold their neutral value.
Result<void> check_unknown(const Json& json) {
  static const std::set<std::string> known = {
      "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "min_p",
      "repetition_penalty", "seed", "stop", "logprobs", "top_logprobs", "n", "lavascope", "user", "metadata", "store", "response_format",
      "frequency_penalty", "presence_penalty", "logit_bias", "tools", "tool_choice", "parallel_tool_calls", "service_tier", "safety_identifier"};
  for (const auto& [key, value] : json.items())
    if (!known.count(key)) return bad_field(key.substr(0, 60), "it is not known");
  const auto neutral = [&](const char* field, const auto& is_neutral) {
    const auto found = json.find(field);
    return found == json.end() || found->is_null() || is_neutral(*found);
  };
  const auto zero = [](const Json& v) { return v.is_number() && v.get<double>() == 0; };
  const auto empty = [](const Json& v) { return (v.is_array() || v.is_object()) && v.empty(); };
  const auto refuse = [](const char* field) { return fail(Kind::unsupported, "This server does not support " + std::string(field) + " yet", {}, "Leave the field out"); };
  if (!neutral("frequency_penalty", zero)) return refuse("frequency_penalty");
  if (!neutral("presence_penalty", zero)) return refuse("presence_penalty");
  if (!neutral("logit_bias", empty)) return refuse("logit_bias");
  if (!neutral("tools", empty)) return refuse("tools");
  if (!neutral("tool_choice", [](const Json& v) { return v == "none" || v == "auto"; })) return refuse("tool_choice");
  if (!neutral("response_format", [](const Json& v) { return v.is_object() && v.value("type", Json()) == "text"; }))
    return refuse("response_format other than text");
  if (!neutral("n", [](const Json& v) { return v == 1; })) return refuse("n other than 1");
  return {};
}

Result<void> read_sampling(const Json& json, const Limits& limits, Request& request) {
  LAVA_TRY(request.sampling.temperature, number<float>(json, "temperature", 0, 0, 10));
  LAVA_TRY(request.sampling.top_p, number<float>(json, "top_p", 1, 0, 1));
  LAVA_TRY(request.sampling.top_k, number<int>(json, "top_k", 0, 0, 1e6));
  LAVA_TRY(request.sampling.min_p, number<float>(json, "min_p", 0, 0, 1));
  LAVA_TRY(request.sampling.repetition_penalty, number<float>(json, "repetition_penalty", 1, 0.01, 100));
  if (json.contains("seed") && !json["seed"].is_null()) {
    // Whole numbers of 64 bits, with or without a sign; the parser makes anything longer a fraction.
    if (!json["seed"].is_number_integer()) return bad_field("seed", "it must be a whole number of at most 64 bits");
    request.sampling.seed = json["seed"].get<uint64_t>();
  }
  const char* field = json.contains("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
  LAVA_TRY(request.max_tokens, number<int>(json, field, 512, 1, 1e6));
  request.max_tokens = std::min(request.max_tokens, limits.max_tokens);
  LAVA_TRY(const bool logprobs, boolean(json, "logprobs", false));
  LAVA_TRY(const int top, number<int>(json, "top_logprobs", 0, 0, 20));
  if (top > 0 && !logprobs) return bad_field("top_logprobs", "it needs \"logprobs\": true");
  request.top_logprobs = logprobs ? top : -1;
  LAVA_TRY(request.stop, stop_strings(json));
  return {};
}

Result<void> read_extension(const Json& json, ChatCall& call) {
  const auto found = json.find("lavascope");
  if (found == json.end() || found->is_null()) return {};
  if (!found->is_object()) return bad_field("lavascope", "it must be an object");
  for (const auto& [key, value] : found->items())
    if (key != "events" && key != "adapters") return bad_field("lavascope." + key.substr(0, 60), "it is not known");
  LAVA_TRY(call.events, boolean(*found, "events", false));
  if (!found->contains("adapters")) return {};
  if (!(*found)["adapters"].is_array()) return bad_field("lavascope.adapters", "it must be a list of names");
  call.request.adapters.emplace();
  for (const Json& name : (*found)["adapters"]) {
    if (!name.is_string()) return bad_field("lavascope.adapters", "it must be a list of names");
    call.request.adapters->push_back(name.get<std::string>());
  }
  return {};
}

}  // namespace

Result<ChatCall> parse_chat_call(const std::string& body, const Limits& limits) {
  LAVA_TRY(const Json json, parse_json(body));
  LAVA_CHECK_OK(check_unknown(json));
  ChatCall call;
  LAVA_TRY(call.model, model_name(json));
  const auto messages = json.find("messages");
  if (messages == json.end() || !messages->is_array() || messages->empty()) return bad_field("messages", "it must be a list with at least one message");
  if (messages->size() > 10'000) return fail(Kind::too_large, "There are too many messages in the request", "more than 10000", "Start a new conversation");
  int pictures = 0;
  for (const Json& entry : *messages) {
    LAVA_TRY(ChatMessage parsed, message(entry, limits, pictures));
    call.request.messages.push_back(std::move(parsed));
  }
  if (call.request.messages.back().role != ChatMessage::Role::user) return bad_field("messages", "the last one must be the user's");
  LAVA_TRY(call.stream, boolean(json, "stream", false));
  if (json.contains("stream_options") && json["stream_options"].is_object()) {
    LAVA_TRY(call.include_usage, boolean(json["stream_options"], "include_usage", false));
  }
  LAVA_CHECK_OK(read_sampling(json, limits, call.request));
  LAVA_CHECK_OK(read_extension(json, call));
  return call;
}

Result<DetectCall> parse_detect_call(std::string body, const std::multimap<std::string, std::string>& parameters, const Limits& limits) {
  const size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return fail(Kind::invalid, "The request is empty", "", "Send a picture's file as the body, or JSON with an image_url");
  const bool is_json = body[first] == '{' || body[first] == '[';  // no picture begins so
  Json json = Json::object();
  if (is_json) {
    LAVA_TRY(json, parse_json(body));
  }
  LAVA_CHECK_OK(add_parameters(parameters, json));
  static const std::set<std::string> known = {"image_url", "threshold", "max", "model"};
  for (const auto& [key, value] : json.items())
    if (!known.count(key)) return bad_field(key.substr(0, 60), "it is not known");
  DetectCall call;
  DetectRules& rules = call.request.rules;
  LAVA_TRY(rules.threshold, number<float>(json, "threshold", rules.threshold, 0, 1));
  LAVA_TRY(rules.max, number<int>(json, "max", rules.max, 1, DetectRules::most));
  LAVA_TRY(call.model, model_name(json));
  LAVA_TRY(call.request.picture, is_json ? picture_file(json, limits, "picture 1") : check_picture(std::move(body), limits, ""));
  return call;
}

Result<PreviewCall> parse_preview_call(const std::string& body) {
  LAVA_TRY(const Json json, parse_json(body));
  PreviewCall call;
  LAVA_TRY(call.size.width, number<int>(json, "width", 0, 1, 65535));
  LAVA_TRY(call.size.height, number<int>(json, "height", 0, 1, 65535));
  if (call.size.width == 0 || call.size.height == 0) return bad_field("width", "width and height are needed");
  LAVA_TRY(call.pictures, number<int>(json, "pictures", 1, 1, 1000));
  return call;
}

}  // namespace lava::server
