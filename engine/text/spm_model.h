// SentencePiece's BPE: merges the adjacent pair whose concatenation has the highest score (Kudo and Richardson 2018).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/text/token_table.h"

namespace lava::text {

class SpmModel {
 public:
  // `scores` has one entry per token. Control, unknown and byte tokens take no part in merges; `table` must stay where it is.
  SpmModel(const TokenTable& table, std::vector<float> scores);

  // `text` has U+2581 in place of spaces.
  void encode(std::string_view text, std::vector<int32_t>& out) const;

 private:
  using Parts = std::unordered_map<std::string_view, std::string_view>;
  int32_t piece(std::string_view text) const;
  void encode_part(std::string_view text, std::vector<int32_t>& out) const;
  void append_piece(std::string_view text, const Parts& left_part, std::vector<int32_t>& out) const;

  std::vector<std::string> texts_;
  std::unordered_map<std::string_view, int32_t> pieces_;  // views into texts_
  std::vector<float> scores_;
  std::vector<bool> unused_;
  std::vector<int32_t> byte_tokens_;  // 256 ids or no_token
  int32_t unknown_ = no_token;
  size_t longest_ = 0;              // bytes of the longest piece
  bool words_are_separate_ = true;  // no piece has U+2581 behind another character
};

}  // namespace lava::text
