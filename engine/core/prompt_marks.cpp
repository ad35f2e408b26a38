#include "engine/core/prompt_marks.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/text/grounding.h"

namespace lava {
namespace {

constexpr std::string_view opening = "[region";

struct Mention {
  size_t end = 0;  // behind the closing bracket
  size_t region = 0;
};

// The mention that begins at text[at]; region 0: it is none.
Mention read_mention(std::string_view text, size_t at) {
  size_t next = at + opening.size(), region = 0;
  if (next < text.size() && text[next] == ']') return {next + 1, 1};
  if (next >= text.size() || text[next] != ' ') return {};
  for (++next; next < text.size() && text[next] >= '0' && text[next] <= '9' && region < 100; ++next)
    region = region * 10 + static_cast<size_t>(text[next] - '0');
  if (next >= text.size() || text[next] != ']') return {};
  return {next + 1, region};
}

}  // namespace

bool speaks_of_places(const Request& request) {
  const auto spoken = [](const ChatMessage& message, std::string_view words) {
    return std::any_of(message.parts.begin(), message.parts.end(), [&](const MessagePart& part) { return part.text.find(words) != std::string::npos; });
  };
  return std::any_of(request.messages.begin(), request.messages.end(), [&](const ChatMessage& message) {
    return (message.role == ChatMessage::Role::user && spoken(message, opening)) || (message.role == ChatMessage::Role::assistant && spoken(message, "["));
  });
}

Request with_marks(const Request& request, std::span<const std::shared_ptr<const PictureRows>> pictures) {
  Request named = request;
  std::vector<int> regions;
  std::span<const Object> objects;
  size_t picture = 0;
  for (ChatMessage& message : named.messages) {
    std::vector<int> own;
    for (const MessagePart& part : message.parts) {
      if (part.kind != MessagePart::Kind::picture) continue;
      objects = pictures[picture++]->objects;
      for (size_t k = 0; k < objects.size(); ++k)
        if (objects[k].pointed) own.push_back(static_cast<int>(k) + 1);
    }
    if (!own.empty()) regions = std::move(own);
    for (MessagePart& part : message.parts) {
      if (message.role == ChatMessage::Role::user) part.text = with_region_marks(part.text, regions);
      if (message.role == ChatMessage::Role::assistant) part.text = text::places_to_marks(part.text, objects);
    }
  }
  return named;
}

std::string with_region_marks(std::string_view text, std::span<const int> marks) {
  std::string out;
  size_t done = 0;
  for (size_t at = text.find(opening); at != std::string_view::npos; at = text.find(opening, at + 1)) {
    const Mention mention = read_mention(text, at);
    if (mention.region == 0 || mention.region > marks.size()) continue;
    out += text.substr(done, at - done);
    out += fmt::format("[{}]", marks[mention.region - 1]);
    done = mention.end;
  }
  out += text.substr(done);
  return out;
}

}  // namespace lava
