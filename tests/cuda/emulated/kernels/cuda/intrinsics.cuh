// Stands for kernels/cuda/intrinsics.cuh where kernels run on the processor.
#pragma once
#include <cuda_runtime.h>

#include <functional>

#include "kernels/cuda/stream.h"

namespace lava::emulator {
inline float bf16(uint32_t word, int half) { return std::bit_cast<float>(half == 0 ? word << 16 : word & 0xffff0000u); }
}  // namespace lava::emulator

namespace lava::cuda {

template <class... Parameters, class... Values>
void launch(Stream& stream, void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared, const Values&... values) {
  if (stream.failed() || grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  const std::function<void()> run = [=] { emulator::run_grid(grid, threads, shared, [&] { kernel(static_cast<Parameters>(values)...); }); };
  const cudaError_t status = cudaLaunchStatus();
  stream.check(status);
  if (status == cudaSuccess) emulator::capturing() ? emulator::keep(run) : run();
}

inline float* dynamic_shared() { return reinterpret_cast<float*>(emulator::dynamic_shared()); }

// The fragments as PTX describes them for mma.m16n8k16: lane = 4 g + t; a: rows g and g + 8, pairs t and t + 4; b: column g; c: columns 2 t, 2 t + 1.
inline void mma_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  struct Registers {
    uint32_t a[4], b[2];
  };
  Registers own;
  std::memcpy(own.a, a, sizeof(a)), std::memcpy(own.b, b, sizeof(b));
  const int lane = emulator::lane(), g = lane / 4, t = lane % 4;
  std::memcpy(emulator::own_slot(), &own, sizeof(own));
  emulator::wait_warp();
  const auto of = [](int from) { return reinterpret_cast<const Registers*>(emulator::slot_of(from)); };
  for (int i = 0; i < 4; ++i) {
    const int row = g + i / 2 * 8, column = 2 * t + i % 2;
    float sum = c[i];
    for (int k = 0; k < 16; ++k) {
      const uint32_t x = of(4 * (row % 8) + k % 8 / 2)->a[row / 8 + 2 * (k / 8)], w = of(4 * column + k % 8 / 2)->b[k / 8];
      sum += emulator::bf16(x, k % 2) * emulator::bf16(w, k % 2);
    }
    c[i] = sum;
  }
}

}  // namespace lava::cuda
