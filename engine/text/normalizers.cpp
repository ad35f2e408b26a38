#include "engine/text/byte_level.h"
#include "engine/text/text_steps.h"

namespace lava::text::steps {

NormalizerStep normal_form(NormalForm form) {
  return [form](std::string text, const Deadline&) -> Result<std::string> { return normalize(text, form); };
}

NormalizerStep lower() {
  return [](std::string text, const Deadline&) -> Result<std::string> { return lowercase(text); };
}

NormalizerStep strip_accents() {
  return [](std::string text, const Deadline&) -> Result<std::string> {
    std::string out;
    for (size_t i = 0; i < text.size();) {
      const char32_t c = next_code_point(text, i);
      if (!is_mark(c)) append_utf8(out, c);
    }
    return out;
  };
}

NormalizerStep strip(bool left, bool right) {
  return [left, right](std::string text, const Deadline&) -> Result<std::string> {
    size_t begin = text.size(), end = 0;  // of what is no white space
    for (size_t i = 0; i < text.size();) {
      const size_t at = i;
      if (is_white_space(next_code_point(text, i))) continue;
      begin = std::min(begin, at);
      end = i;
    }
    if (!left) begin = 0;
    if (!right) end = text.size();
    return begin < end ? text.substr(begin, end - begin) : std::string();
  };
}

NormalizerStep prepend(std::string prefix) {
  return [prefix = std::move(prefix)](std::string text, const Deadline&) -> Result<std::string> {
    return text.empty() ? text : std::string(prefix).append(text);
  };
}

namespace {
// Repeated replacing can blow a text up without bound.
constexpr size_t max_text = 256u << 20;

Result<std::string> replace_all(std::string_view text, const std::vector<Match>& matches, std::string_view content) {
  if (matches.size() > max_text / (content.size() + 1))
    return fail(Error::Kind::too_large, "The tokenizer blows this text up too much",
                std::to_string(matches.size()) + " replacements of " + std::to_string(content.size()) + " bytes");
  std::string out;
  out.reserve(text.size());
  size_t done = 0;
  for (const Match& match : matches) {
    out.append(text.substr(done, match.begin - done)).append(content);
    done = match.end;
  }
  return out.append(text.substr(done));
}
}  // namespace

NormalizerStep replace(std::string pattern, std::string content) {
  return [find = occurrences_of(std::move(pattern)), content = std::move(content)](std::string text,
                                                                                   const Deadline& deadline) -> Result<std::string> {
    std::vector<Match> matches;
    LAVA_CHECK_OK(find(text, deadline, matches));
    return replace_all(text, matches, content);
  };
}

NormalizerStep replace_matches(Regex pattern, std::string content) {
  return [find = matches_of(std::move(pattern)), content = std::move(content)](std::string text,
                                                                               const Deadline& deadline) -> Result<std::string> {
    std::vector<Match> matches;
    LAVA_CHECK_OK(find(text, deadline, matches));
    return replace_all(text, matches, content);
  };
}

NormalizerStep byte_characters() {
  return [](std::string text, const Deadline&) -> Result<std::string> { return to_byte_characters(text); };
}

}  // namespace lava::text::steps
