#include "engine/text/stream_decoder.h"

#include "engine/text/unicode.h"

namespace lava::text {

namespace {

// Where an unfinished character at the end begins; the size when the text ends whole.
size_t unfinished_tail(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const size_t at = text.size() - back;
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t needed = byte < 0xC2 || byte > 0xF4 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    if (needed <= back) return text.size();
    size_t end = at;
    next_code_point(text, end);  // stops early where the bytes cannot become a character any more
    return end == text.size() ? at : text.size();
  }
  return text.size();
}

}  // namespace

std::string StreamDecoder::push(int32_t id) {
  std::string bytes = tokenizer_->token_bytes(id, show_special_);
  if (strip_ && !bytes.empty()) {
    if (bytes[0] == ' ') bytes.erase(0, tokenizer_->leading_spaces());
    strip_ = false;
  }
  pending_ += bytes;
  const size_t end = unfinished_tail(pending_);
  std::string out = replace_invalid_utf8(std::string_view(pending_).substr(0, end));
  pending_.erase(0, end);
  return out;
}

std::string StreamDecoder::finish() {
  std::string out = replace_invalid_utf8(pending_);
  pending_.clear();
  return out;
}

}  // namespace lava::text
