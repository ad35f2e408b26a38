// What this machine can do at best, measured in a moment: the roofs that a speed is compared with.
#pragma once
#include <memory>
#include <string>

#include "kernels/device.h"

namespace lava {

// With all threads together. Speeds of units that the machine lacks are 0.
struct Roofs {
  double read = 0;                  // bytes/s from memory, in long runs
  double cache = 0;                 // bytes/s from each core's second-level cache
  double f32 = 0, bf16 = 0, int8 = 0;  // operations/s out of registers; multiply and add count as two
  std::string f32_unit, bf16_unit, int8_unit;  // the instruction that did it
  std::string level;                // the best instruction set that runs here, also where another was asked for

  // Of numbers that the machine has no unit for, the next wider one counts.
  double best_bf16() const { return bf16 > 0 ? bf16 : f32; }
  double best_int8() const { return int8 > 0 ? int8 : f32; }
};

// Other work of this process should rest meanwhile.
class RoofProbe {
 public:
  static Result<std::unique_ptr<RoofProbe>> create(int threads);
  ~RoofProbe();
  // Takes about five times `seconds`. The read rates are means, the others are the best of many short runs.
  Roofs measure(double seconds = 0.1);

 private:
  class Impl;
  explicit RoofProbe(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Read rates: the mean of both; the others: the better one. For a measurement between two probes.
Roofs between(const Roofs& before, const Roofs& after);

}  // namespace lava
