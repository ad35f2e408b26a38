// Names of the kinds of errors on the wire, in the order of Error::Kind.
#pragma once
#include <iterator>
#include <string_view>

#include "kernels/result.h"

namespace lava {

inline constexpr std::string_view error_names[] = {"invalid", "not_found", "unsupported", "io", "out_of_memory", "cancelled", "busy", "too_large", "device_lost", "internal"};
static_assert(std::size(error_names) == static_cast<size_t>(Error::Kind::internal) + 1);

}  // namespace lava
