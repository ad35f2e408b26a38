#include "engine/core/ahead.h"

#include <algorithm>

namespace lava {
namespace {

bool is_picture(const MessagePart& part) { return part.kind == MessagePart::Kind::picture; }

bool same(const MessagePart& a, const MessagePart& b) {
  if (a.kind != b.kind || a.text != b.text || a.regions != b.regions) return false;
  return a.picture == b.picture || (a.picture && b.picture && *a.picture == *b.picture);
}

size_t pictures_of(const Request& request) {
  size_t count = 0;
  for (const ChatMessage& message : request.messages)
    count += static_cast<size_t>(std::count_if(message.parts.begin(), message.parts.end(), is_picture));
  return count;
}

// The message that holds the last picture, and its parts up to that.
struct End {
  size_t message = 0, parts = 0;
};

End end_of_pictures(const Request& request) {
  End end;
  for (size_t m = 0; m < request.messages.size(); ++m) {
    const auto& parts = request.messages[m].parts;
    for (size_t p = 0; p < parts.size(); ++p)
      if (is_picture(parts[p])) end = {m, p + 1};
  }
  return end;
}

}  // namespace

bool prepares(const Request& ahead, const Request& question) {
  if (ahead.adapters != question.adapters) return false;
  // The views of a picture depend on how many there are in the prompt.
  const size_t pictures = pictures_of(ahead);
  if (pictures == 0 || pictures != pictures_of(question)) return false;
  const End end = end_of_pictures(ahead);
  if (question.messages.size() <= end.message) return false;
  for (size_t m = 0; m <= end.message; ++m) {
    const ChatMessage &a = ahead.messages[m], &b = question.messages[m];
    const size_t parts = m == end.message ? end.parts : a.parts.size();
    if (a.role != b.role || b.parts.size() < parts || (m < end.message && b.parts.size() > parts)) return false;
    if (!std::equal(a.parts.begin(), a.parts.begin() + static_cast<std::ptrdiff_t>(parts), b.parts.begin(), same)) return false;
  }
  return true;
}

}  // namespace lava
