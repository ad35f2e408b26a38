// What a device can do at best, measured in a moment: the roofs that a speed is compared with.
#pragma once
#include <memory>
#include <string>

#include "kernels/device.h"

namespace lava {

// Of the processor, with all threads together, what it does out of registers; of a device with memory of its own, what it reaches by its own
// copies and products (kernels/probe/device_rates.h). Speeds of what is not there are 0.
struct Roofs {
  double read = 0;                     // bytes/s from memory, in long runs; of copies on a device: those read and those written together
  double cache = 0;                    // bytes/s from each core's second-level cache; 0 on other devices
  double upload = 0;                   // bytes/s from the host's memory to the device's; 0 where they are the same
  double f32 = 0, bf16 = 0, int8 = 0;  // operations/s; multiply and add count as two
  std::string read_of, read_unit;              // what moved, and what moved it
  std::string f32_unit, bf16_unit, int8_unit;  // the instruction, or the product, that did it
  std::string level;  // the best instruction set that runs here, also where another was asked for; what a device says of its own

  // Of numbers that the machine has no unit for, the next wider one counts.
  double best_bf16() const { return bf16 > 0 ? bf16 : f32; }
  double best_int8() const { return int8 > 0 ? int8 : f32; }
};

// Other work of this process should rest meanwhile.
class RoofProbe {
 public:
  static Result<std::unique_ptr<RoofProbe>> create(int threads);     // the processor's
  static Result<std::unique_ptr<RoofProbe>> create(Device& device);  // of any device, which must outlive it
  virtual ~RoofProbe() = default;
  // Takes about five times `seconds`. The processor's read rates are means, the others are the best of many short runs. Errors: a device that
  // was lost, or has no memory left.
  virtual Result<Roofs> measure(double seconds = 0.1) = 0;
};

// Rates of bytes: the mean of both; the others: the better one. For a measurement between two probes.
Roofs between(const Roofs& before, const Roofs& after);

}  // namespace lava
