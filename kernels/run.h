// What lives as long as one request: passed to every op, never stored, never global.
#pragma once
#include <atomic>

#include "kernels/arena.h"
#include "kernels/device.h"
#include "kernels/step_params.h"

namespace lava {

struct Run {
  Device& device;
  Arena& arena;
  StepParams* step = nullptr;                  // device-visible; ops of the decoder point at it
  const std::atomic<bool>* cancel = nullptr;

  bool cancelled() const { return cancel && cancel->load(std::memory_order_relaxed); }
  // Planning runs size the arena and must not read or write tensor memory on the host.
  bool planning() const { return arena.planning(); }
  template <class Args>
  void execute(const Args& args) {
    device.execute(make_call(args));
  }
};

}  // namespace lava
