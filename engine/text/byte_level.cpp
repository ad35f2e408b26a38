#include "engine/text/byte_level.h"

#include <array>

#include "engine/text/unicode.h"

namespace lava::text {

namespace {

struct Maps {
  std::array<char32_t, 256> character{};
  std::array<int16_t, 0x144> byte{};
  Maps() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (int b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      character[b] = printable ? static_cast<char32_t>(b) : next++;
      byte[character[b]] = static_cast<int16_t>(b);
    }
  }
};

const Maps& maps() {
  static const Maps instance;
  return instance;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

char32_t character_of_byte(uint8_t byte) { return maps().character[byte]; }

int byte_of_character(char32_t character) { return character < maps().byte.size() ? maps().byte[character] : -1; }

std::string to_byte_characters(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) append_utf8(out, character_of_byte(static_cast<uint8_t>(c)));
  return out;
}

std::string from_byte_characters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    const int byte = byte_of_character(next_code_point(text, i));
    if (byte >= 0) {
      out += static_cast<char>(byte);
    } else {
      out.append(text.substr(begin, i - begin));
    }
  }
  return out;
}

int byte_of_fallback_token(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  const int high = hex_digit(text[3]), low = hex_digit(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string fallback_token_of_byte(uint8_t byte) {
  constexpr char digits[] = "0123456789ABCDEF";
  return {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
}

}  // namespace lava::text
