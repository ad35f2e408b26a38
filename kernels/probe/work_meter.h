// How much work ops are, and what of it a machine's roofs allow at best.
#pragma once
#include <memory>

#include "kernels/call_list.h"
#include "kernels/probe/roofs.h"

namespace lava {

struct Work {
  double bytes = 0;                    // everything that the ops name, also what stays in a cache between two of them
  double streamed = 0;                 // weights, and rows of the key-value cache: what comes from memory each time
  double f32 = 0, bf16 = 0, int8 = 0;  // operations by the narrowest numbers that their weights allow

  double operations() const { return f32 + bf16 + int8; }
  double compute_seconds(const Roofs& roofs) const;  // at the roofs
  Work& operator+=(const Work& other);
  Work operator/(double parts) const { return {bytes / parts, streamed / parts, f32 / parts, bf16 / parts, int8 / parts}; }
};

Work work_of(const OpCall& call);

// Decorator that adds up the work of the ops that pass through while it is on; recordings are replayed whole, as without it.
class WorkMeter final : public DeviceDecorator {
 public:
  using DeviceDecorator::DeviceDecorator;
  bool on = false;
  Work total;

  void execute(const OpCall& call) override;
  std::unique_ptr<Recording> record(const std::function<void()>& body) override;

 private:
  class Metered;
  CallList* recording_ = nullptr;
};

}  // namespace lava
