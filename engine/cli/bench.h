// What the measuring commands share.
#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/core/assistant.h"
#include "kernels/devices.h"
#include "kernels/probe/roofs.h"
#include "kernels/probe/work_meter.h"

namespace lava::bench {

struct Settings {
  std::string model, shape, format = "q4_0", image, op;
  int n = 0, depth = 0, repeat = 3, context = 0;
  double budget = 0.1;  // seconds for each op
  DeviceChoice device{"cpu"};
  CpuOptions cpu;
  bool exact = false, json = false, trace = false, check = false;
  VisionPrecision vision = VisionPrecision::automatic;
  KvChoice kv = KvChoice::automatic;
  int gpu_layers = -1;
};

Result<void> prefill(const Settings& settings);
Result<void> decode(const Settings& settings);
Result<void> encode(const Settings& settings);
Result<void> ttft(const Settings& settings);
Result<void> detect(const Settings& settings);
Result<void> open(const Settings& settings);
Result<void> memory(const Settings& settings);
Result<void> ops(const Settings& settings);

double seconds_of(const std::function<void()>& work);
double median_of(std::vector<double> values);

// A device's own roofs around a measurement.
class Roofline {
 public:
  static Result<Roofline> begin(Device& device);  // what stands behind its decorators
  Result<Roofs> end();

 private:
  std::unique_ptr<RoofProbe> probe_;
  Roofs before_;
};

// What holds a measurement back: reading weights, multiplying, or whichever takes longer of multiplying and moving everything from memory, or from a cache.
enum class Bound : uint8_t { memory, compute, either, cached };

// One share of the roof: seconds that the roof would take / seconds taken. Null where the roof is not known.
nlohmann::json share_of_roof(Bound bound, const Work& work, const Roofs& roofs, double seconds);
// The roof that was meant, its speed and the instruction that showed it.
nlohmann::json roof_of(Bound bound, const Work& work, const Roofs& roofs);
nlohmann::json all_of(const Roofs& roofs);

struct Measured {
  const char* what;
  Bound bound;
  nlohmann::json facts;         // more for the JSON line: n, depth, objects
  std::string shown;            // the same in words
  std::vector<double> seconds;  // of each round
  double count = 0;             // things done in a round
  const char* things = "tokens";
  Work work;  // of a round
  Roofs roofs;
};
// Fills work, seconds and roofs: round 0 warms up and counts the work, the timed ones from 1 lie between two looks at the roofs.
// once(round) gives the seconds of a round. The roofs are those of the metered device.
Result<void> measure(Measured& measured, const Settings& settings, WorkMeter& meter, const std::function<Result<double>(int)>& once);
void print(const Settings& settings, const DeviceInfo& device, Measured measured);

}  // namespace lava::bench
