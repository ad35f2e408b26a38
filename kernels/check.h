// Assertions for programmer errors. Bad input never ends here: it is a Result (kernels/result.h).
#pragma once

namespace lava {
// Prints and aborts. Out of line, so that objects of one instruction set hold no copy of it.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace lava

#define LAVA_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::lava::check_failed(#condition, __FILE__, __LINE__))
