// What changes from one decode step to the next. Kernels read it through a pointer, so a recording stays valid.
#pragma once
#include <cstdint>

namespace lava {

struct alignas(64) StepParams {
  int32_t past = 0;   // positions already in the KV cache before this step; row i of the step stands at past + i
  int32_t token = 0;  // id to embed in a recorded decode step
  int32_t limit = 0;  // while recording: past stays below it at every replay (a device may size its work by it); 0: not known
};

}  // namespace lava
