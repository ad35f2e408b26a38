#include "engine/text/chat_format.h"

#include <algorithm>

namespace lava::text {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\n\r\f\v";
  const size_t begin = text.find_first_not_of(spaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(spaces) + 1 - begin);
}

class Renderer {
 public:
  Renderer(const ChatFormat& format, std::vector<Segment>& out) : format_(format), out_(out) {}

  void own(std::string_view text) { append(text, true); }
  void foreign(std::string_view text) { append(format_.trims ? trimmed(text) : text, false); }

  void system(std::string_view text) {
    own(format_.system_before);
    foreign(text);
    own(format_.system_after);
  }

  void user(const Turn& turn, std::string_view system_text) {
    const bool first = !seen_user_ && !format_.first_user_before.empty();
    own(first ? format_.first_user_before : format_.user_before);
    if (!seen_user_ && !system_text.empty()) system(system_text);
    seen_user_ = true;
    content(turn);
    own(format_.user_after);
  }

  void assistant(const Turn& turn) {
    own(format_.assistant_before);
    content(turn);
    own(format_.assistant_after);
  }

 private:
  const ChatFormat& format_;
  std::vector<Segment>& out_;
  int pictures_ = 0;
  bool seen_user_ = false;

  void append(std::string_view text, bool parse_special) {
    if (text.empty()) return;
    if (!out_.empty() && out_.back().picture < 0 && out_.back().parse_special == parse_special) {
      out_.back().text += text;
    } else {
      out_.push_back({std::string(text), parse_special, -1});
    }
  }

  void picture() { out_.push_back({{}, false, pictures_++}); }

  void content(const Turn& turn) {
    if (format_.pictures == ChatFormat::Pictures::all_first) {
      for (const ContentPart& part : turn.parts)
        if (part.picture) picture();
      own("\n");
      for (const ContentPart& part : turn.parts)
        if (!part.picture) foreign(part.text);
      return;
    }
    for (const ContentPart& part : turn.parts) {
      if (!part.picture) {
        foreign(part.text);
        continue;
      }
      picture();
      if (format_.pictures == ChatFormat::Pictures::marker_and_newline) own("\n");
    }
  }
};

std::string text_of(const Turn& turn) {
  std::string text;
  for (const ContentPart& part : turn.parts) text += part.text;
  return text;
}

}  // namespace

std::vector<Segment> render_chat(const ChatFormat& format, std::span<const Turn> turns, std::string_view bos_text) {
  std::vector<Segment> out;
  Renderer renderer(format, out);
  if (format.writes_bos) renderer.own(bos_text);
  const bool starts_with_system = !turns.empty() && turns.front().role == Role::system;
  const std::string system = starts_with_system ? text_of(turns.front()) : std::string(format.default_system);
  const bool inside = format.system_place == ChatFormat::SystemPlace::inside_first_user;
  if (!inside && !system.empty()) renderer.system(system);
  for (const Turn& turn : turns.subspan(starts_with_system ? 1 : 0)) {
    switch (turn.role) {
      case Role::system:
        renderer.system(text_of(turn));
        break;
      case Role::user:
        renderer.user(turn, inside ? std::string_view(system) : std::string_view());
        break;
      case Role::assistant:
        renderer.assistant(turn);
        break;
    }
  }
  renderer.own(format.opening);
  return out;
}

Result<std::vector<PromptPiece>> encode_chat(const Tokenizer& tokenizer, const ChatFormat& format, std::span<const Turn> turns) {
  return encode_prompt(tokenizer, render_chat(format, turns, tokenizer.table().text(tokenizer.special().bos)));
}

std::vector<int32_t> stop_ids(const Tokenizer& tokenizer, const ChatFormat& format) {
  std::vector<int32_t> ids = tokenizer.special().end_of_generation;
  for (const std::string_view text : format.stop_tokens)
    if (const auto id = tokenizer.id_of(text)) ids.push_back(*id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace lava::text
