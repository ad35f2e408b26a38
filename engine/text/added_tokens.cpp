#include "engine/text/added_tokens.h"

#include <algorithm>

#include "engine/text/unicode.h"

namespace lava::text {

namespace {

size_t previous_character(std::string_view text, size_t position) {
  do {
    --position;
  } while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80);
  return position;
}

char32_t code_point_at(std::string_view text, size_t position) { return next_code_point(text, position); }

bool touches_word(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_word_character(code_point_at(text, previous_character(text, begin)))) return true;
  return end < text.size() && is_word_character(code_point_at(text, end));
}

size_t skip_spaces_back(std::string_view text, size_t position, size_t limit) {
  while (position > limit) {
    const size_t before = previous_character(text, position);
    if (before < limit || !is_white_space(code_point_at(text, before))) break;
    position = before;
  }
  return position;
}

size_t skip_spaces(std::string_view text, size_t position) {
  while (position < text.size()) {
    size_t next = position;
    if (!is_white_space(next_code_point(text, next))) break;
    position = next;
  }
  return position;
}

}  // namespace

int32_t AddedTokenMatcher::child(int32_t node, uint8_t byte) const {
  for (const auto& [key, next] : nodes_[node].next)
    if (key == byte) return next;
  return -1;
}

void AddedTokenMatcher::add(const AddedToken& token) {
  if (token.content.empty()) return;
  int32_t node = 0;
  for (const char c : token.content) {
    const auto byte = static_cast<uint8_t>(c);
    int32_t next = child(node, byte);
    if (next < 0) {
      next = static_cast<int32_t>(nodes_.size());
      nodes_.emplace_back();
      nodes_[node].next.emplace_back(byte, next);
    }
    node = next;
  }
  if (nodes_[node].token < 0) nodes_[node].token = static_cast<int32_t>(tokens_.size());
  tokens_.push_back(token);
}

const AddedToken* AddedTokenMatcher::longest_at(std::string_view text, size_t begin, const Accept& accept) const {
  const AddedToken* best = nullptr;
  int32_t node = 0;
  for (size_t i = begin; i < text.size(); ++i) {
    node = child(node, static_cast<uint8_t>(text[i]));
    if (node < 0) break;
    const int32_t token = nodes_[node].token;
    if (token >= 0 && accept(tokens_[token], begin, i + 1)) best = &tokens_[token];
  }
  return best;
}

std::vector<Fragment> AddedTokenMatcher::cut(std::string_view text, const Accept& accept) const {
  std::vector<Fragment> fragments;
  size_t done = 0;
  for (size_t at = 0; at < text.size() && !empty();) {
    const AddedToken* token = longest_at(text, at, accept);
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + token->content.size();
    at = end;
    if (token->single_word && touches_word(text, begin, end)) continue;
    begin = std::max(begin, done);
    if (token->lstrip) begin = skip_spaces_back(text, begin, done);
    if (token->rstrip) end = skip_spaces(text, end);
    if (done < begin) fragments.push_back({-1, done, begin});
    fragments.push_back({token->id, begin, end});
    done = end;
  }
  if (done < text.size()) fragments.push_back({-1, done, text.size()});
  return fragments;
}

}  // namespace lava::text
