#include "engine/text/bpe_model.h"

#include <queue>

#include "engine/text/byte_level.h"
#include "engine/text/unicode.h"

namespace lava::text {

namespace {

constexpr char32_t small_limit = 0x800;

uint64_t pair_key(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
}

size_t hash_of(uint64_t key) {
  key ^= key >> 31;
  key *= 0x9E3779B97F4A7C15ull;
  return static_cast<size_t>(key ^ (key >> 29));
}

bool takes_part(TokenKind kind) { return kind != TokenKind::control && kind != TokenKind::unknown; }

struct Candidate {
  uint32_t rank;
  int32_t left;
  int32_t left_symbol, right_symbol;
  bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : left > other.left; }
};

struct Node {
  int32_t symbol, previous, next;
};

}  // namespace

int32_t BpeModel::intern(std::string_view text) {
  const auto [entry, added] = symbols_.try_emplace(std::string(text), tokens_ + static_cast<int32_t>(extra_symbols_.size()));
  if (added) extra_symbols_.emplace_back(text);
  return entry->second;
}

void BpeModel::reserve_pairs(size_t count) {
  size_t size = 16;
  while (size < count * 2) size *= 2;
  pairs_.assign(size, {});
}

BpeModel::Slot& BpeModel::slot_of(uint64_t key) {
  size_t i = hash_of(key) & (pairs_.size() - 1);
  while (pairs_[i].key != empty_key && pairs_[i].key != key) i = (i + 1) & (pairs_.size() - 1);
  return pairs_[i];
}

const BpeModel::Merge* BpeModel::find_pair(int32_t left, int32_t right) const {
  const uint64_t key = pair_key(left, right);
  for (size_t i = hash_of(key) & (pairs_.size() - 1); pairs_[i].key != empty_key; i = (i + 1) & (pairs_.size() - 1))
    if (pairs_[i].key == key) return &pairs_[i].merge;
  return nullptr;
}

Result<void> BpeModel::add_merge(const TokenTable& table, const std::pair<std::string, std::string>& parts, uint32_t rank) {
  const std::string whole = parts.first + parts.second;
  for (const std::string* text : {&parts.first, &parts.second, &whole}) {
    const auto id = table.id_of(*text);
    if (id && !takes_part(table.kind(*id))) return {};
    if (!id && !options_.split_unknown_symbols)
      return fail(Error::Kind::invalid, "The tokenizer's merge list does not fit its vocabulary",
                  "merge " + std::to_string(rank) + " needs \"" + replace_invalid_utf8(*text).substr(0, 80) + "\", which is no token",
                  "Download the tokenizer file again");
  }
  Slot& slot = slot_of(pair_key(intern(parts.first), intern(parts.second)));
  if (slot.key != empty_key && options_.first_duplicate_wins) return {};
  slot.key = pair_key(intern(parts.first), intern(parts.second));
  slot.merge = {rank, intern(whole)};
  return {};
}

Result<BpeModel> BpeModel::build(const TokenTable& table, const Merges& merges, BpeOptions options) {
  BpeModel model;
  model.options_ = options;
  model.tokens_ = table.size();
  model.symbols_.reserve(table.size());
  for (int32_t id = 0; id < table.size(); ++id)
    if (takes_part(table.kind(id)) && !table.text(id).empty()) model.symbols_.try_emplace(std::string(table.text(id)), id);
  model.reserve_pairs(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) LAVA_CHECK_OK(model.add_merge(table, merges[rank], static_cast<uint32_t>(rank)));
  model.small_characters_.assign(small_limit, no_token);
  for (char32_t c = 0; c < small_limit; ++c)
    if (const auto found = model.symbols_.find(to_utf8(c)); found != model.symbols_.end()) model.small_characters_[c] = found->second;
  if (options.byte_fallback) {
    for (int b = 0; b < 256; ++b) {
      const auto id = table.id_of(fallback_token_of_byte(static_cast<uint8_t>(b)));
      model.byte_tokens_.push_back(id.value_or(no_token));
    }
  }
  return model;
}

int32_t BpeModel::symbol_of_character(std::string_view character) const {
  size_t i = 0;
  const char32_t c = next_code_point(character, i);
  if (c < small_limit) return small_characters_[c];
  const auto found = symbols_.find(std::string(character));
  return found == symbols_.end() ? no_token : found->second;
}

void BpeModel::first_symbols(std::string_view word, std::vector<int32_t>& symbols) const {
  bool last_was_unknown = false;
  for (size_t i = 0; i < word.size();) {
    const std::string_view character = word.substr(i, character_length(word, i));
    i += character.size();
    const int32_t symbol = symbol_of_character(character);
    if (symbol != no_token) {
      symbols.push_back(symbol);
      last_was_unknown = false;
      continue;
    }
    bool all_bytes = !byte_tokens_.empty();
    for (const char c : character) all_bytes = all_bytes && byte_tokens_[static_cast<uint8_t>(c)] != no_token;
    if (all_bytes) {
      for (const char c : character) symbols.push_back(byte_tokens_[static_cast<uint8_t>(c)]);
      last_was_unknown = false;
    } else if (options_.unknown != no_token) {
      if (!(options_.fuse_unknown && last_was_unknown)) symbols.push_back(options_.unknown);
      last_was_unknown = true;
    }
  }
}

// A text that only exists between merges falls apart into the characters that are tokens.
void BpeModel::append_symbol(int32_t symbol, std::vector<int32_t>& out) const {
  if (symbol < tokens_) {
    out.push_back(symbol);
    return;
  }
  const std::string& text = extra_symbols_[symbol - tokens_];
  for (size_t i = 0; i < text.size();) {
    const std::string_view character = std::string_view(text).substr(i, character_length(text, i));
    const int32_t part = symbol_of_character(character);
    if (part != no_token && part < tokens_) out.push_back(part);
    i += character.size();
  }
}

void BpeModel::encode(std::string_view word, std::vector<int32_t>& out) const {
  if (options_.ignore_merges) {
    const auto found = symbols_.find(std::string(word));
    if (found != symbols_.end() && found->second < tokens_) {
      out.push_back(found->second);
      return;
    }
  }
  std::vector<int32_t> symbols;
  symbols.reserve(word.size());
  first_symbols(word, symbols);
  const auto count = static_cast<int32_t>(symbols.size());
  std::vector<Node> nodes(count);
  for (int32_t i = 0; i < count; ++i) nodes[i] = {symbols[i], i - 1, i + 1 < count ? i + 1 : -1};

  std::vector<Candidate> storage;
  storage.reserve(count);
  std::priority_queue<Candidate> queue(std::less<Candidate>(), std::move(storage));
  const auto consider = [&](int32_t left) {
    if (left < 0 || nodes[left].next < 0) return;
    const int32_t a = nodes[left].symbol, b = nodes[nodes[left].next].symbol;
    if (const Merge* merge = find_pair(a, b)) queue.push({merge->rank, left, a, b});
  };
  for (int32_t i = 0; i + 1 < count; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Node& left = nodes[top.left];
    if (left.symbol != top.left_symbol || left.next < 0 || nodes[left.next].symbol != top.right_symbol) continue;
    Node& right = nodes[left.next];
    left.symbol = find_pair(top.left_symbol, top.right_symbol)->symbol;
    right.symbol = no_token;  // consumed
    left.next = right.next;
    if (left.next >= 0) nodes[left.next].previous = top.left;
    consider(left.previous);
    consider(top.left);
  }
  for (int32_t i = count > 0 ? 0 : -1; i >= 0; i = nodes[i].next) append_symbol(nodes[i].symbol, out);
}

}  // namespace lava::text
