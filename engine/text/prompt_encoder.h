// The one place where prompts become ids.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/tokenizer.h"

namespace lava::text {

// A stretch of a prompt: text, or a picture (picture >= 0, text empty).
struct Segment {
  std::string text;
  bool parse_special = false;  // true for the template's own words, false for what a user wrote
  int picture = -1;            // index in order of appearance
};

struct PromptPiece {
  std::vector<int32_t> ids;  // empty for a picture
  int picture = -1;
};

// The marker of a picture in raw prompts.
inline constexpr std::string_view image_marker = "<image>";

// Text segments that touch are split and merged as one text, as if the whole prompt were one string. BOS stands once, at the start,
// when the vocabulary wants it. Neighbouring pieces are never both text.
Result<std::vector<PromptPiece>> encode_prompt(const Tokenizer& tokenizer, std::span<const Segment> segments);

// Splits at "<image>"; the text may contain control tokens.
std::vector<Segment> segments_from_raw(std::string_view prompt);

// The ids of all pieces with `image_id` in the place of each picture.
std::vector<int32_t> flatten(std::span<const PromptPiece> pieces, int32_t image_id);

}  // namespace lava::text
