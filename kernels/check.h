// Assertions for programmer errors. Bad input never ends here: it is a Result (kernels/result.h).
#pragma once
#include <cstdio>
#include <cstdlib>

namespace lava {
[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "lavascope: internal error: %s (%s:%d)\n", condition, file, line);
  std::abort();
}
}  // namespace lava

#define LAVA_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::lava::check_failed(#condition, __FILE__, __LINE__))
