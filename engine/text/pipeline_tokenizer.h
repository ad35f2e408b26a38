// The one tokenizer of this program: cuts added tokens, normalises, splits, and hands the words to BPE or SentencePiece.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/text/added_tokens.h"
#include "engine/text/text_steps.h"
#include "engine/text/tokenizer.h"

namespace lava::text {

using WordModel = std::function<void(std::string_view word, std::vector<int32_t>& out)>;

// How tokens become text again.
struct DecodePlan {
  bool byte_level = false;                                        // texts are byte characters
  bool byte_fallback = false;                                     // <0xXX> texts are bytes
  std::vector<std::pair<std::string, std::string>> replacements;  // per token, in order
  size_t strip_left = 0;                                          // spaces to take off the start of the whole text ...
  bool keep_after_bos = false;                                    // ... unless the ids begin with BOS
};

struct Pipeline {
  TokenTable table;
  std::vector<AddedToken> added;
  std::vector<NormalizerStep> normalizers;
  std::vector<SplitStep> splits;
  WordModel model;
  DecodePlan decode;
  // SentencePiece from a GGUF or a .model file: a space before a fragment that starts the text, and after every token that was cut.
  bool prefix_space_at_start = false, prefix_space_after_token = false;
  std::string kind = "BPE";
};

std::unique_ptr<Tokenizer> make_tokenizer(Pipeline pipeline);

}  // namespace lava::text
