#include "engine/core/region_marks.h"

#include <fmt/format.h>

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

bool mentions_region(std::string_view text) { return text.find(opening) != std::string_view::npos; }

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

void add_region_marks(const PictureRows& rows, std::vector<int>& marks) {
  for (size_t k = 0; k < rows.objects.size(); ++k)
    if (rows.objects[k].pointed) marks.push_back(static_cast<int>(k) + 1);
}

}  // namespace lava
