// One line on a terminal that counts up; elsewhere a line at every tenth.
#pragma once
#include <cstdint>
#include <string>

namespace lava::cli {

class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine() { end(); }
  void show(uint64_t done, uint64_t total);
  void end();  // the line is complete

 private:
  std::string what_;
  bool terminal_, open_ = false;
  int shown_ = -1;
};

}  // namespace lava::cli
