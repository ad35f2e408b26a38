// Turns ids into text while they arrive: only whole characters leave it.
#pragma once
#include <cstdint>
#include <string>

#include "engine/text/tokenizer.h"

namespace lava::text {

class StreamDecoder {
 public:
  // `strip_first_space`: the text starts here, so the space that the vocabulary puts before the first word is taken off, as decode() does.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool show_special = false, bool strip_first_space = false)
      : tokenizer_(&tokenizer), show_special_(show_special), strip_(strip_first_space) {}

  // Well-formed UTF-8, possibly empty: at most three bytes wait for the rest of their character.
  std::string push(int32_t id);
  // The rest; a broken character becomes U+FFFD.
  std::string finish();

 private:
  const Tokenizer* tokenizer_;
  std::string pending_;
  bool show_special_;
  bool strip_;
};

}  // namespace lava::text
