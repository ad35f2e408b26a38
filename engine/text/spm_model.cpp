#include "engine/text/spm_model.h"

#include <algorithm>
#include <queue>

#include "engine/text/byte_level.h"
#include "engine/text/unicode.h"

namespace lava::text {

namespace {

struct Candidate {
  float score;
  int32_t left, right;
  uint32_t bytes;  // of both parts, to notice that one has changed
  bool operator<(const Candidate& other) const { return score != other.score ? score < other.score : left > other.left; }
};

// End of the run of U+2581 and of what follows it up to the next U+2581.
size_t word_end(std::string_view text, size_t begin) {
  constexpr std::string_view mark = "\xE2\x96\x81";
  size_t at = begin;
  while (text.substr(at, mark.size()) == mark) at += mark.size();
  return std::min(text.find(mark, at), text.size());
}

struct Symbol {
  uint32_t begin, bytes;  // bytes 0: consumed
  int32_t previous, next;
};

}  // namespace

SpmModel::SpmModel(const TokenTable& table, std::vector<float> scores) : scores_(std::move(scores)), byte_tokens_(256, no_token) {
  scores_.resize(table.size(), 0.0f);
  unused_.resize(table.size());
  unknown_ = table.special.unknown;
  texts_.reserve(table.size());
  for (int32_t id = 0; id < table.size(); ++id) texts_.emplace_back(table.text(id));
  for (int32_t id = 0; id < table.size(); ++id) {
    const TokenKind kind = table.kind(id);
    const int byte = byte_of_fallback_token(texts_[id]);
    if (byte >= 0 && (kind == TokenKind::byte || byte_tokens_[byte] == no_token)) byte_tokens_[byte] = id;
    if (texts_[id].empty() || kind == TokenKind::control || kind == TokenKind::unknown || kind == TokenKind::byte) continue;
    unused_[id] = kind == TokenKind::unused;
    pieces_.try_emplace(texts_[id], id);
    longest_ = std::max(longest_, texts_[id].size());
    words_are_separate_ = words_are_separate_ && word_end(texts_[id], 0) == texts_[id].size();
  }
}

int32_t SpmModel::piece(std::string_view text) const {
  if (text.size() > longest_) return no_token;
  const auto found = pieces_.find(text);
  return found == pieces_.end() ? no_token : found->second;
}

// Pieces marked unused only help others to form: they are taken apart again. Their depth is bounded by their length.
void SpmModel::append_piece(std::string_view text, const Parts& left_part, std::vector<int32_t>& out) const {
  const int32_t id = piece(text);
  if (id != no_token && !unused_[id]) {
    out.push_back(id);
    return;
  }
  if (const auto parts = left_part.find(text); parts != left_part.end()) {
    append_piece(parts->second, left_part, out);
    append_piece(text.substr(parts->second.size()), left_part, out);
    return;
  }
  for (const char c : text) {
    const int32_t byte = byte_tokens_[static_cast<uint8_t>(c)];
    if (byte != no_token) {
      out.push_back(byte);
    } else if (unknown_ != no_token) {
      out.push_back(unknown_);
      return;  // one unknown token per character
    }
  }
}

// Where no piece crosses the border between words, nor does a merge: the words go one by one, which is faster.
void SpmModel::encode(std::string_view text, std::vector<int32_t>& out) const {
  for (size_t at = 0; at < text.size();) {
    const size_t end = words_are_separate_ ? word_end(text, at) : text.size();
    encode_part(text.substr(at, end - at), out);
    at = end;
  }
}

void SpmModel::encode_part(std::string_view text, std::vector<int32_t>& out) const {
  std::vector<Symbol> symbols;
  symbols.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const auto length = static_cast<uint32_t>(character_length(text, i));
    const auto index = static_cast<int32_t>(symbols.size());
    symbols.push_back({static_cast<uint32_t>(i), length, index - 1, index + 1});
    i += length;
  }
  symbols.back().next = -1;

  Parts left_part;
  std::priority_queue<Candidate> queue;
  const auto consider = [&](int32_t left) {
    if (left < 0 || symbols[left].next < 0) return;
    const Symbol& a = symbols[left];
    const std::string_view both = text.substr(a.begin, a.bytes + symbols[a.next].bytes);
    const int32_t id = piece(both);
    if (id == no_token) return;
    queue.push({scores_[id], left, a.next, static_cast<uint32_t>(both.size())});
    if (unused_[id]) left_part.emplace(both, both.substr(0, a.bytes));
  };
  for (int32_t i = 0; i < static_cast<int32_t>(symbols.size()); ++i) consider(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol& left = symbols[top.left];
    Symbol& right = symbols[top.right];
    if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != top.bytes) continue;
    left.bytes = top.bytes;
    right.bytes = 0;
    left.next = right.next;
    if (left.next >= 0) symbols[left.next].previous = top.left;
    consider(left.previous);
    consider(top.left);
  }
  for (int32_t i = 0; i >= 0; i = symbols[i].next) append_piece(text.substr(symbols[i].begin, symbols[i].bytes), left_part, out);
}

}  // namespace lava::text
