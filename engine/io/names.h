// Names that come out of files: shown safely, used as file names only when harmless.
#pragma once
#include <string>
#include <string_view>

namespace lava::io {

// For messages: control characters, bytes that are not UTF-8 and text direction marks become \xNN, long text is cut with "...".
std::string printable(std::string_view text, size_t max_bytes = 96);

// One plain file name that means the same on every system: no separators, drive letters, "..", control or direction characters, device
// names, trailing dot or space; 1 to 255 bytes of UTF-8.
bool is_plain_file_name(std::string_view name);

}  // namespace lava::io
