#include "engine/cli/progress.h"

#include <unistd.h>

#include <cstdio>

namespace lava::cli {

ProgressLine::ProgressLine(std::string what) : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::show(uint64_t done, uint64_t total) {
  const int percent = static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total == 0 ? 1 : total));
  const int step = terminal_ ? 1 : 10;
  if (shown_ >= 0 && percent / step == shown_ / step) return;
  shown_ = percent;
  std::fprintf(stderr, "%s%s: %d %% of %.0f MB%s", terminal_ ? "\r" : "", what_.c_str(), percent, static_cast<double>(total) / 1e6, terminal_ ? "" : "\n");
  std::fflush(stderr);
  open_ = terminal_;
}

void ProgressLine::end() {
  if (open_) std::fprintf(stderr, "\n");
  open_ = false;
}

}  // namespace lava::cli
