// Decorator that times every op, also those inside recordings (which it replays one by one).
#pragma once
#include <array>
#include <string>
#include <vector>

#include "kernels/call_list.h"

namespace lava {

class TraceDevice : public ObservingDevice {
 public:
  explicit TraceDevice(Device& inner) : ObservingDevice(inner) {}

  std::vector<OpStats> stats() const;  // of the ops that ran, slowest first
  std::string table() const;           // op, calls, time, share, GB/s, GFLOP/s
  void reset() { totals_ = {}; }

 private:
  void observe(const OpCall& call) override;

  struct Total {
    int64_t calls = 0;
    double seconds = 0, bytes = 0, flops = 0;
  };
  std::array<Total, op_count> totals_{};
};

}  // namespace lava
