#include "engine/io/names.h"

#include <array>
#include <cstdint>

namespace lava::io {
namespace {

// One code point at `at`; length 0 when the bytes there are not UTF-8.
struct Decoded {
  uint32_t point = 0;
  size_t length = 0;
};

Decoded decode(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (length == 0 || lead >= 0xF5 || at + length > text.size()) return {};
  uint32_t point = lead & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {};
    point = point << 6 | (byte(at + i) & 0x3Fu);
  }
  constexpr std::array<uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  if (point < least[length] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return {};
  return {point, length};
}

// Control characters, and marks that change the direction or hide text.
bool deceives(uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2060 && point <= 0x2069) || point == 0xFEFF || point == 0x061C;
}

bool is_device_name(std::string_view name) {
  std::string stem(name.substr(0, name.find('.')));
  for (char& c : stem) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (stem == "CON" || stem == "PRN" || stem == "AUX" || stem == "NUL") return true;
  return stem.size() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")) && stem[3] >= '0' && stem[3] <= '9';
}

}  // namespace

std::string printable(std::string_view text, size_t max_bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (out.size() >= max_bytes) return out + "...";
    const Decoded next = decode(text, at);
    if (next.length > 0 && !deceives(next.point)) {
      out += text.substr(at, next.length);
      at += next.length;
      continue;
    }
    const auto byte = static_cast<uint8_t>(text[at++]);
    out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

bool is_plain_file_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name == "." || name == "..") return false;
  if (name.back() == '.' || name.back() == ' ' || is_device_name(name)) return false;
  for (size_t at = 0; at < name.size();) {
    const Decoded next = decode(name, at);
    if (next.length == 0 || deceives(next.point)) return false;
    if (next.point < 0x80 && std::string_view("/\\:*?\"<>|").find(static_cast<char>(next.point)) != std::string_view::npos) return false;
    at += next.length;
  }
  return true;
}

}  // namespace lava::io
