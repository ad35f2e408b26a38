// UTF-8, Unicode classes and normal forms.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace lava::text {

constexpr char32_t replacement_character = 0xFFFD;

// Reads the character at `position` and moves past it. An ill-formed sequence reads as U+FFFD, one per maximal ill-formed part.
char32_t next_code_point(std::string_view text, size_t& position);
void append_utf8(std::string& out, char32_t code_point);
std::string to_utf8(char32_t code_point);
bool is_valid_utf8(std::string_view text);
std::string replace_invalid_utf8(std::string_view text);  // each ill-formed part becomes U+FFFD

// Length of the character that starts at `position` of well-formed text.
inline size_t character_length(std::string_view text, size_t position) {
  const auto lead = static_cast<unsigned char>(text[position]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return length < text.size() - position ? length : text.size() - position;
}

bool is_white_space(char32_t c);     // the Unicode property
bool is_numeric(char32_t c);         // Nd, Nl, No
bool is_punctuation(char32_t c);     // P*, and every ASCII mark
bool is_mark(char32_t c);            // Mn, Mc, Me
bool is_word_character(char32_t c);  // letters, marks, decimal digits, connectors

enum class NormalForm { nfc, nfd, nfkc, nfkd };
// Linear-ish also for endless rows of combining marks.
std::string normalize(std::string_view text, NormalForm form);
std::string lowercase(std::string_view text);

}  // namespace lava::text
