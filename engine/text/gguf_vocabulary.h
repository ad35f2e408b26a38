// The tokenizer.ggml.* keys of an opened GGUF file.
#pragma once
#include "engine/io/gguf.h"
#include "engine/text/tokenizer.h"

namespace lava::text {

Result<GgufVocabulary> vocabulary_of(const io::Gguf& gguf);

// A GGUF file, or whatever from_folder() takes.
Result<std::unique_ptr<Tokenizer>> load_tokenizer(const std::filesystem::path& path);

}  // namespace lava::text
