// One op on one device, by itself.
#pragma once
#include "engine/cli/bench_op_cases.h"
#include "kernels/probe/work_meter.h"

namespace lava::bench {

struct OpTiming {
  double seconds = 0;  // of one call, median
  Work work;           // of what ran: an op that the device does not fuse is several
  int ops = 0;         // that ran for one call
  int copies = 0;      // of all that it touches, used in turn
};

// For about `budget` seconds; a device so slow that a single call takes longer is given one or two. Errors name the op.
Result<OpTiming> time_op(Device& device, const OpCase& one, double budget);

}  // namespace lava::bench
