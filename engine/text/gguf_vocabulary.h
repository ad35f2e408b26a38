// The tokenizer.ggml.* keys of an opened GGUF file.
#pragma once
#include "engine/io/gguf.h"
#include "engine/text/tokenizer.h"

namespace lava::text {

Result<GgufVocabulary> vocabulary_of(const io::Gguf& gguf);

}  // namespace lava::text
