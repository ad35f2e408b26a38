// GPT-2's spelling of bytes: every byte has a printable character, so that a vocabulary can be a list of texts.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace lava::text {

char32_t character_of_byte(uint8_t byte);
int byte_of_character(char32_t character);  // -1 for a character that stands for no byte

std::string to_byte_characters(std::string_view bytes);
// Characters that stand for no byte are copied as they are.
std::string from_byte_characters(std::string_view text);

// "<0x0A>" names byte 10; -1 for any other text.
int byte_of_fallback_token(std::string_view text);
std::string fallback_token_of_byte(uint8_t byte);

}  // namespace lava::text
