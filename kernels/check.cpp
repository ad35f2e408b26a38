#include "kernels/check.h"

#include <cstdio>
#include <cstdlib>

namespace lava {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "lavascope: internal error: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace lava
