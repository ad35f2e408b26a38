#include "engine/text/grounding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace lava::text {
namespace {

constexpr size_t longest_mark = 2;   // digits of an object's number
constexpr size_t longest_label = 5;  // words
constexpr float same_place = 0.95f;  // intersection over union

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

void skip_spaces(std::string_view text, size_t& at) {
  while (at < text.size() && is_space(text[at])) ++at;
}

// "0", "1", "0.5", ".5", "1.00": at most one digit before and four after the point, value 0..1.
std::optional<float> read_share(std::string_view text, size_t& at) {
  float value = 0, unit = 0.1f;
  const size_t first = at;
  if (at < text.size() && is_digit(text[at])) value = static_cast<float>(text[at++] - '0');
  const bool whole = at > first;
  size_t digits = 0;
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && is_digit(text[at]) && digits < 5; ++at, ++digits, unit /= 10)
      value += unit * static_cast<float>(text[at] - '0');
    if (digits == 0) return std::nullopt;
  }
  if ((!whole && digits == 0) || digits > 4 || value > 1) return std::nullopt;
  return value;
}

// A place that begins at text[at] == '['; `at` moves behind it.
std::optional<Box> read_place(std::string_view text, size_t& at) {
  std::array<float, 4> values{};
  size_t next = at + 1;
  for (size_t i = 0; i < 4; ++i) {
    skip_spaces(text, next);
    const auto value = read_share(text, next);
    if (!value) return std::nullopt;
    values[i] = *value;
    skip_spaces(text, next);
    if (next >= text.size() || text[next] != (i < 3 ? ',' : ']')) return std::nullopt;
    ++next;
  }
  at = next;
  return Box{values[0], values[1], values[2], values[3]};
}

float overlap(const Box& a, const Box& b) {
  const float w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1), h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (!(w > 0 && h > 0)) return 0;
  return w * h / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - w * h);
}

// Number of the object whose box this is: written so, or else nearest to it; 0 for none.
size_t object_at(const Box& box, std::string_view written, std::span<const Object> objects) {
  size_t best = 0;
  float most = same_place;
  for (size_t k = 0; k < objects.size(); ++k) {
    if (write_place(objects[k].box) == written) return k + 1;
    if (const float shared = overlap(box, objects[k].box); shared > most) most = shared, best = k + 1;
  }
  return best;
}

bool one_of(std::string_view word, std::span<const std::string_view> list) {
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::find(list.begin(), list.end(), lower) != list.end();
}

// Words that a noun phrase may begin behind: articles and other determiners, and everything that joins phrases.
bool ends_phrase(std::string_view word) {
  constexpr std::string_view words[] = {
      "a",     "an",   "the",   "one",   "two",  "three", "four",  "five", "some",   "another", "his",     "her",   "its",
      "their", "my",   "your",  "this",  "that", "these", "those", "and",  "or",     "but",     "with",    "of",    "in",
      "on",    "at",   "is",    "are",   "was",  "were",  "there", "here", "it",     "near",    "by",      "to",    "from",
      "has",   "have", "see",   "shows", "show", "plus",  "under", "over", "behind", "beside",  "between", "holds", "as",
      "for",   "be",   "where", "he",    "she",  "they",  "i",     "you",  "also",   "found",   "located"};
  return one_of(word, words);
}

// Letters, digits, hyphens, apostrophes, and every byte of a character beyond ASCII.
bool is_word_byte(char c) {
  const char lower = static_cast<char>(c | 32);
  return static_cast<unsigned char>(c) >= 0x80 || is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '-' || c == '\'';
}

struct Words {
  size_t begin = 0, end = 0;
};

// The last words of text[from, to) back to a determiner, a joining word, punctuation or `from`.
Words phrase_before(std::string_view text, size_t from, size_t to) {
  size_t end = to;
  while (end > from && is_space(text[end - 1])) --end;
  Words phrase{end, end};
  size_t at = end;
  for (size_t count = 0; count < longest_label; ++count) {
    const size_t word_end = at;
    while (at > from && is_word_byte(text[at - 1])) --at;
    if (at == word_end || ends_phrase(text.substr(at, word_end - at))) break;
    phrase.begin = at;
    if (at == from || text[at - 1] != ' ') break;
    --at;
  }
  return phrase;
}

// Between two places of one phrase stand only spaces, commas and joining words.
bool only_joins(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (is_space(text[at]) || text[at] == ',') {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < text.size() && is_word_byte(text[at])) ++at;
    const std::string_view word = text.substr(begin, at - begin);
    if (word != "and" && word != "or") return false;
  }
  return true;
}

}  // namespace

std::vector<GroundedPhrase> find_places(std::string_view text) {
  std::vector<GroundedPhrase> places;
  size_t after_last = 0;
  for (size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at)) {
    const size_t begin = at;
    const auto box = read_place(text, at);
    if (!box) {
      ++at;
      continue;
    }
    GroundedPhrase place{*box, {}, begin, begin, begin, at};
    if (!places.empty() && only_joins(text.substr(after_last, begin - after_last))) {
      place.label = places.back().label;
      place.start = places.back().start, place.end = places.back().end;
    } else if (const Words words = phrase_before(text, after_last, begin); words.begin < words.end) {
      place.label = text.substr(words.begin, words.end - words.begin);
      place.start = words.begin, place.end = words.end;
    }
    places.push_back(std::move(place));
    after_last = at;
  }
  return places;
}

std::string write_place(const Box& box) { return fmt::format("[{:.2f}, {:.2f}, {:.2f}, {:.2f}]", box.x1, box.y1, box.x2, box.y2); }

std::string MarkRewriter::push(std::string_view text) {
  if (objects_.empty()) return std::string(text);
  std::string out;
  for (const char c : text) {
    const bool open = !waiting_.empty();
    if (open && c == ']' && waiting_.size() > 1) {
      const size_t object = static_cast<size_t>(std::stoi(waiting_.substr(1)));
      if (object >= 1 && object <= objects_.size()) {
        pointed_.push_back({written_ + out.size(), object - 1});
        out += write_place(objects_[object - 1].box);
        waiting_.clear();
        continue;
      }
    }
    if (open && is_digit(c) && waiting_.size() <= longest_mark) {
      waiting_ += c;
      continue;
    }
    out += waiting_;
    waiting_.clear();
    if (c == '[') {
      waiting_ = c;
    } else {
      out += c;
    }
  }
  written_ += out.size();
  return out;
}

std::string MarkRewriter::finish() {
  std::string out;
  std::swap(out, waiting_);
  written_ += out.size();
  return out;
}

Box to_square(const float pixels[4], int width, int height) {
  const int side = std::max(width, height);
  const auto along = [&](float pixel, int extent) { return (pixel + static_cast<float>((side - extent) / 2)) / static_cast<float>(side); };
  return {along(pixels[0], width), along(pixels[1], height), along(pixels[2], width), along(pixels[3], height)};
}

std::string places_to_marks(std::string_view text, std::span<const Object> objects) {
  std::string out;
  size_t done = 0;
  for (size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at)) {
    const size_t begin = at;
    const auto box = read_place(text, at);
    const size_t mark = box ? object_at(*box, text.substr(begin, at - begin), objects) : 0;
    if (!box) ++at;
    if (mark == 0) continue;
    out += text.substr(done, begin - done);
    out += fmt::format("[{}]", mark);
    done = at;
  }
  out += text.substr(done);
  return out;
}

bool to_pixels(const Box& box, int width, int height, float pixels[4]) {
  const int side = std::max(width, height);
  const float left = static_cast<float>((side - width) / 2), top = static_cast<float>((side - height) / 2);
  const auto along = [&](float share, float offset, int extent) {
    return std::clamp(share * static_cast<float>(side) - offset, 0.0f, static_cast<float>(extent));
  };
  if (!std::isfinite(box.x1 + box.y1 + box.x2 + box.y2)) return false;
  pixels[0] = along(std::min(box.x1, box.x2), left, width);
  pixels[1] = along(std::min(box.y1, box.y2), top, height);
  pixels[2] = along(std::max(box.x1, box.x2), left, width);
  pixels[3] = along(std::max(box.y1, box.y2), top, height);
  return pixels[2] - pixels[0] > 0.5f && pixels[3] - pixels[1] > 0.5f;
}

}  // namespace lava::text
