// Base64 (RFC 4648, with or without padding) to bytes.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace lava::server {

std::optional<std::string> decode_base64(std::string_view text);

}  // namespace lava::server
