// The protobuf of a SentencePiece tokenizer.model, as far as a BPE model needs it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "kernels/result.h"

namespace lava::text {

struct SentencePieceFile {
  std::vector<std::string> pieces;
  std::vector<float> scores;
  std::vector<int32_t> types;
  int64_t model_type = 1;  // 1 unigram, 2 BPE
  int64_t unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;
  std::string normalizer_name;
  bool has_charsmap = false;
  bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
};

Result<SentencePieceFile> read_sentencepiece(std::string_view protobuf);

}  // namespace lava::text
