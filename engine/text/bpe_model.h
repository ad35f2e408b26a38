// Byte pair encoding: merges the adjacent pair of lowest rank until none is left.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/text/token_table.h"
#include "kernels/result.h"

namespace lava::text {

struct BpeOptions {
  bool byte_fallback = false;          // an unknown character becomes its <0xXX> tokens
  bool ignore_merges = false;          // a word that is a token is that token
  bool fuse_unknown = false;           // neighbouring unknown characters become one unknown token
  int32_t unknown = no_token;          // no_token: unknown characters vanish
  bool split_unknown_symbols = false;  // merges may pass through texts that are no tokens (GGUF files)
  bool first_duplicate_wins = false;   // of equal merges the first (GGUF) or the last (tokenizer.json) counts
};

class BpeModel {
 public:
  using Merges = std::vector<std::pair<std::string, std::string>>;  // position = rank
  // Control and unknown tokens take no part: they come from cutting alone. `table` is read during build only.
  static Result<BpeModel> build(const TokenTable& table, const Merges& merges, BpeOptions options);

  void encode(std::string_view word, std::vector<int32_t>& out) const;

 private:
  struct Merge {
    uint32_t rank = 0;
    int32_t symbol = no_token;
  };
  struct Slot {
    uint64_t key = empty_key;
    Merge merge;
  };
  static constexpr uint64_t empty_key = ~uint64_t{0};

  int32_t intern(std::string_view text);
  Result<void> add_merge(const TokenTable& table, const std::pair<std::string, std::string>& parts, uint32_t rank);
  void reserve_pairs(size_t count);
  Slot& slot_of(uint64_t key);
  const Merge* find_pair(int32_t left, int32_t right) const;
  void first_symbols(std::string_view word, std::vector<int32_t>& symbols) const;
  void append_symbol(int32_t symbol, std::vector<int32_t>& out) const;
  int32_t symbol_of_character(std::string_view character) const;

  BpeOptions options_;
  int32_t tokens_ = 0;                                // symbols from here on are no tokens
  std::unordered_map<std::string, int32_t> symbols_;  // token texts that take part, and merge parts that are no tokens
  std::vector<std::string> extra_symbols_;            // texts of the latter
  std::vector<int32_t> small_characters_;             // symbol of each code point below 0x800, or no_token
  std::vector<int32_t> byte_tokens_;                  // 256 ids, empty unless every byte has one
  std::vector<Slot> pairs_;                           // open addressing, power of two
};

}  // namespace lava::text
