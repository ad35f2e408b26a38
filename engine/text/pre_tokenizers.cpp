#include <memory>

#include "engine/text/byte_level.h"
#include "engine/text/text_steps.h"

namespace lava::text::steps {

const char* const gpt2_pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

Finder matches_of(Regex pattern) {
  // std::function wants copies, a compiled pattern has none.
  auto shared = std::make_shared<const Regex>(std::move(pattern));
  return [shared](std::string_view text, const Deadline& deadline, std::vector<Match>& matches) {
    return shared->find_all(text, deadline, matches);
  };
}

Finder occurrences_of(std::string literal) {
  return [literal = std::move(literal)](std::string_view text, const Deadline&, std::vector<Match>& matches) -> Result<void> {
    matches.clear();
    if (literal.empty()) return {};
    for (size_t at = text.find(literal); at != std::string_view::npos; at = text.find(literal, at + literal.size()))
      matches.push_back({at, at + literal.size()});
    return {};
  };
}

Finder characters_where(bool (*test)(char32_t)) {
  return [test](std::string_view text, const Deadline&, std::vector<Match>& matches) -> Result<void> {
    matches.clear();
    for (size_t i = 0; i < text.size();) {
      const size_t begin = i;
      if (test(next_code_point(text, i))) matches.push_back({begin, i});
    }
    return {};
  };
}

Finder word_runs() {
  return [](std::string_view text, const Deadline&, std::vector<Match>& matches) -> Result<void> {
    matches.clear();
    int last = 0;  // 0 space, 1 word, 2 other
    for (size_t i = 0; i < text.size();) {
      const size_t begin = i;
      const char32_t c = next_code_point(text, i);
      const int now = is_word_character(c) ? 1 : is_white_space(c) ? 0 : 2;
      if (now != 0 && now == last) {
        matches.back().end = i;
      } else if (now != 0) {
        matches.push_back({begin, i});
      }
      last = now;
    }
    return {};
  };
}

namespace {

struct Range {
  size_t begin, end;
  bool delimiter;
};

std::vector<Range> ranges_of(std::string_view text, const std::vector<Match>& matches, bool invert) {
  std::vector<Range> ranges;
  size_t done = 0;
  for (const Match& match : matches) {
    if (done < match.begin) ranges.push_back({done, match.begin, invert});
    ranges.push_back({match.begin, match.end, !invert});
    done = match.end;
  }
  if (done < text.size()) ranges.push_back({done, text.size(), invert});
  return ranges;
}

std::vector<Range> merge_ranges(std::vector<Range> ranges, Behavior behavior) {
  std::vector<Range> out;
  bool previous_delimiter = false;
  const auto append = [&](const Range& range, bool join) {
    if (join && !out.empty()) {
      out.back().end = range.end;
    } else {
      out.push_back(range);
    }
  };
  for (size_t i = 0; i < ranges.size(); ++i) {
    const Range& range = ranges[i];
    switch (behavior) {
      case Behavior::removed:
        if (!range.delimiter) out.push_back(range);
        break;
      case Behavior::isolated:
        out.push_back(range);
        break;
      case Behavior::merged_with_previous:
        append(range, range.delimiter && i > 0 && !previous_delimiter);
        break;
      case Behavior::merged_with_next:
        append(range, !range.delimiter && i > 0 && previous_delimiter);
        break;
      case Behavior::contiguous:
        append(range, i > 0 && range.delimiter == previous_delimiter);
        break;
    }
    previous_delimiter = range.delimiter;
  }
  return out;
}

}  // namespace

SplitStep split(Finder finder, Behavior behavior, bool invert) {
  return [=](Pieces pieces, const Deadline& deadline) -> Result<Pieces> {
    Pieces out;
    std::vector<Match> matches;
    for (size_t i = 0; i < pieces.texts.size(); ++i) {
      const std::string& text = pieces.texts[i];
      LAVA_CHECK_OK(finder(text, deadline, matches));
      for (const Range& range : merge_ranges(ranges_of(text, matches, invert), behavior)) {
        if (range.begin == range.end) continue;
        if (out.texts.empty()) out.first = pieces.first && i == 0 && range.begin == 0;
        out.texts.emplace_back(text, range.begin, range.end - range.begin);
      }
    }
    return out;
  };
}

SplitStep byte_level(bool add_prefix_space, bool use_regex) {
  SplitStep words;
  if (use_regex) {
    auto pattern = Regex::compile(gpt2_pattern);
    if (pattern) words = split(matches_of(std::move(*pattern)), Behavior::isolated, false);
  }
  return [add_prefix_space, words](Pieces pieces, const Deadline& deadline) -> Result<Pieces> {
    if (add_prefix_space)
      for (std::string& text : pieces.texts)
        if (!text.empty() && text[0] != ' ') text.insert(text.begin(), ' ');
    if (words) {
      LAVA_TRY(pieces, words(std::move(pieces), deadline));
    }
    for (std::string& text : pieces.texts) text = to_byte_characters(text);
    return pieces;
  };
}

SplitStep metaspace(std::string replacement, PrependScheme scheme, bool split_words) {
  const SplitStep words = split(occurrences_of(replacement), Behavior::merged_with_next, false);
  return [=](Pieces pieces, const Deadline& deadline) -> Result<Pieces> {
    for (size_t i = 0; i < pieces.texts.size(); ++i) {
      std::string out;
      for (const char c : pieces.texts[i]) {
        if (c == ' ') {
          out += replacement;
        } else {
          out += c;
        }
      }
      const bool wanted = scheme == PrependScheme::always || (scheme == PrependScheme::first && pieces.first && i == 0);
      if (wanted && !out.starts_with(replacement)) out.insert(0, replacement);
      pieces.texts[i] = std::move(out);
    }
    return split_words ? words(std::move(pieces), deadline) : Result<Pieces>(std::move(pieces));
  };
}

}  // namespace lava::text::steps
