// The list of tokens: texts, kinds, special ids. Filled by the loaders, checked once, then only read.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernels/result.h"

namespace lava::text {

// The numbers are those of GGUF and SentencePiece.
enum class TokenKind : uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

constexpr int32_t no_token = -1;

struct SpecialIds {
  int32_t bos = no_token, eos = no_token, pad = no_token, unknown = no_token;
  bool add_bos = false, add_eos = false;
  std::vector<int32_t> end_of_generation;  // sorted, without duplicates
};

class TokenTable {
 public:
  static constexpr int64_t max_tokens = 4'000'000;

  // Places a token; the ids between the end of the list and `id` become unused. False when the id is out of range or taken by
  // another text.
  bool place(int64_t id, std::string text, TokenKind kind);
  // Builds the index from text to id: to be called once, after the last place(). Of equal texts the first id wins.
  void index();

  int32_t size() const { return static_cast<int32_t>(texts_.size()); }
  bool contains(int64_t id) const { return id >= 0 && id < size(); }
  std::string_view text(int64_t id) const { return contains(id) ? std::string_view(texts_[id]) : std::string_view(); }
  TokenKind kind(int64_t id) const { return contains(id) ? kinds_[id] : TokenKind::unused; }
  void set_kind(int32_t id, TokenKind kind) { kinds_[id] = kind; }
  std::optional<int32_t> id_of(std::string_view text) const;

  // The ids given, plus every token whose text is a known end mark.
  void set_end_of_generation(std::vector<int64_t> ids);
  bool ends_generation(int32_t id) const;

  SpecialIds special;
  std::string chat_template;  // Jinja text, empty when unknown

 private:
  std::vector<std::string> texts_;
  std::vector<TokenKind> kinds_;
  std::unordered_map<std::string_view, int32_t> ids_;  // views into texts_
};

}  // namespace lava::text
