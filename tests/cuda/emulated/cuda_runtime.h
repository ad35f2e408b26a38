// Stands for the toolkit's header where kernels run on the processor: as much of it as our kernels use.
#pragma once
#include <bit>
#include <cmath>

#include "tests/cuda/emulated/emulator.h"

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))

using cudaStream_t = void*;
enum cudaError_t { cudaSuccess = 0, cudaErrorUnknown = 999 };

struct uint2 {
  uint32_t x, y;
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};

template <class T>
T __ldg(const T* p) {
  if (reinterpret_cast<uintptr_t>(p) % sizeof(T) != 0) std::abort();  // a device does not read across its alignment
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

inline void __syncthreads() { lava::emulator::wait_block(); }
inline void __syncwarp() { lava::emulator::wait_warp(); }
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return lava::emulator::exchange(value, lava::emulator::lane() ^ mask);
}
inline float __uint_as_float(uint32_t bits) { return std::bit_cast<float>(bits); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline int __dp4a(int a, int b, int c) {
  for (int i = 0; i < 32; i += 8) c += static_cast<int>(static_cast<int8_t>(a >> i)) * static_cast<int8_t>(b >> i);
  return c;
}
