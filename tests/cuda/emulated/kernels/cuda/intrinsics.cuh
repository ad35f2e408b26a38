// Stands for kernels/cuda/intrinsics.cuh where kernels run on the processor.
#pragma once
#include <cuda_runtime.h>

#include <functional>

#include "kernels/cuda/stream.h"
#include "kernels/half.h"

namespace lava::emulator {
inline float f16(uint32_t word, int half) { return half_to_float(static_cast<uint16_t>(word >> (16 * half))); }
inline float bf16(uint32_t word, int half) { return std::bit_cast<float>(half == 0 ? word << 16 : word & 0xffff0000u); }
}  // namespace lava::emulator

namespace lava::cuda {

template <class... Parameters, class... Values>
void launch_on(Stream& stream, bool early, void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared, const Values&... values) {
  if (stream.failed() || grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  const std::function<void()> run = [=] { emulator::run_grid(grid, threads, shared, early, [&] { kernel(static_cast<Parameters>(values)...); }); };
  const cudaError_t status = cudaLaunchStatus();
  stream.check(status);
  if (status == cudaSuccess) emulator::capturing() ? emulator::keep(run) : run();
}
template <class... Parameters, class... Values>
void launch(Stream& stream, void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared, const Values&... values) {
  launch_on(stream, false, kernel, grid, threads, shared, values...);
}
template <class... Parameters, class... Values>
void launch_early(Stream& stream, void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared, const Values&... values) {
  launch_on(stream, true, kernel, grid, threads, shared, values...);
}
inline void wait_for_previous() { emulator::wait_for_previous(); }
inline void let_next_start() {}
inline void fetch_ahead(const std::byte* data, int64_t bytes) { emulator::fetch_ahead(data, bytes); }

inline float* dynamic_shared() { return reinterpret_cast<float*>(emulator::dynamic_shared()); }

// Sums as tensor cores make them at their coarsest: eight products and what was there before are aligned to the largest of them, and what lies below
// its 24 bits is cut off (Fasi et al., Numerical behavior of NVIDIA tensor cores, 2021).
inline float cut_sum(float before, const float (&product)[8]) {
  float top = std::fabs(before);
  bool numbers = before == before;
  for (const float p : product) top = std::fmax(top, std::fabs(p)), numbers = numbers && p == p;
  const int exponent = static_cast<int>(std::bit_cast<uint32_t>(top) >> 23) - 127;
  if (!numbers || exponent < -80 || exponent > 90) {  // zeros, what is not finite, and what no case has
    for (const float p : product) before += p;
    return before;
  }
  const double unit = std::bit_cast<double>(static_cast<uint64_t>(exponent - 23 + 1023) << 52), inverse = std::bit_cast<double>(static_cast<uint64_t>(23 - exponent + 1023) << 52);
  auto sum = static_cast<int64_t>(before * inverse);
  for (const float p : product) sum += static_cast<int64_t>(p * inverse);
  int spare = 0;
  for (uint64_t size = static_cast<uint64_t>(sum < 0 ? -sum : sum); size >> spare >= uint64_t{1} << 24;) ++spare;
  return static_cast<float>(static_cast<double>(sum / (int64_t{1} << spare) * (int64_t{1} << spare)) * unit);
}

// The fragments as PTX describes them for mma.m16n8k16: lane = 4 g + t; a: rows g and g + 8, pairs t and t + 4; b: column g; c: columns 2 t, 2 t + 1.
// value(word, half): one of the two values of a register.
template <class Value>
void mma(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], const Value& value) {
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
    for (int part = 0; part < 2; ++part) {
      float product[8];
      for (int k = 0; k < 8; ++k) {
        const uint32_t x = of(4 * (row % 8) + k / 2)->a[row / 8 + 2 * part], w = of(4 * column + k / 2)->b[part];
        product[k] = value(x, k % 2) * value(w, k % 2);
      }
      c[i] = cut_sum(c[i], product);
    }
  }
}
inline void mma_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma(c, a, b, emulator::bf16); }
inline void mma_f16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma(c, a, b, emulator::f16); }

inline void copy_async(void* to, const void* from) { emulator::copy_later(to, from, 16); }
inline void close_copies() { emulator::close_copies(); }
template <int groups>
void wait_copies() {
  emulator::wait_copies(groups);
}

}  // namespace lava::cuda
