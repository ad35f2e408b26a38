// Decorator that runs the reference of every op on a copy of its memory and compares. Slow; for finding the first wrong op.
#pragma once
#include <vector>

#include "kernels/call_list.h"
#include "kernels/lane.h"

namespace lava {

class ShadowDevice : public ObservingDevice {
 public:
  ShadowDevice(Device& inner, double nmse_limit) : ObservingDevice(inner), limit_(nmse_limit), scratch_(scratch_size) {}

  // The first op that differed by more than the limit (op is empty when none did), and the worst NMSE of all ops.
  const Difference& first() const { return first_; }
  double worst_nmse() const { return worst_; }
  int64_t calls() const { return calls_; }

 private:
  static constexpr size_t scratch_size = Lane::scratch_bytes + 64;
  void observe(const OpCall& call) override;

  double limit_;
  std::vector<std::byte> scratch_;  // of the reference's only lane
  Difference first_;
  double worst_ = 0;
  int64_t calls_ = 0;
};

}  // namespace lava
