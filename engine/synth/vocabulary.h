// Made-up vocabularies of any size that read every text: all bytes, and words of small letters.
#pragma once
#include "engine/io/gguf_header.h"

namespace lava::synth {

enum class Vocabulary : uint8_t { sentence_piece, byte_pairs };

inline constexpr int least_vocabulary = 512;

// The tokenizer.ggml.* keys. `split`: the rule by which byte pairs cut text into words.
void add_vocabulary(io::GgufHeader& header, Vocabulary kind, int size, std::string_view split);

}  // namespace lava::synth
